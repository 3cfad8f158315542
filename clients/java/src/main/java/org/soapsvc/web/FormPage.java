package org.soapsvc.web;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.soapsvc.client.CallFailedException;

/** A page with a form: GET shows it empty, POST as it was sent with an answer or a problem. */
abstract class FormPage extends HttpServlet {

    private static final long serialVersionUID = 1L;

    private final String name;
    private final Map<String, String> fields;

    /** Makes the page /WEB-INF/pages/NAME.jsp. fields: what a person calls each field of the form. */
    FormPage(String name, Map<String, String> fields) {
        this.name = name;
        this.fields = fields;
    }

    /**
     * Asks the model about what was sent, and leaves the answer for the page.
     *
     * @throws InvalidForm if it can't be sent on
     */
    abstract void answer(HttpServletRequest request, Models models)
            throws InvalidForm, CallFailedException, ServletException, IOException;

    /** Leaves what the page shows whether or not there is an answer. */
    void prepare(HttpServletRequest request) {
    }

    @Override
    protected final void doGet(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        show(request, response);
    }

    @Override
    protected final void doPost(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        try {
            answer(request, Models.in(getServletContext()));
        } catch (InvalidForm e) {
            response.setStatus(HttpServletResponse.SC_BAD_REQUEST);
            request.setAttribute("problems", e.problems());
        } catch (CallFailedException e) {
            Problem problem = Problem.of(name, e, fields);
            response.setStatus(problem.field().isEmpty()
                    ? HttpServletResponse.SC_BAD_GATEWAY : HttpServletResponse.SC_BAD_REQUEST);
            request.setAttribute("problems", List.of(problem));
        }
        show(request, response);
    }

    private void show(HttpServletRequest request, HttpServletResponse response) throws ServletException, IOException {
        prepare(request);
        request.getRequestDispatcher("/WEB-INF/pages/" + name + ".jsp").forward(request, response);
    }
}
