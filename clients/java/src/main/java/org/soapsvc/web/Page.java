package org.soapsvc.web;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.soapsvc.client.Answer;
import org.soapsvc.client.CallFailedException;

/** A model's page whose answer is shown as bars. */
abstract class Page extends FormPage {

    private static final long serialVersionUID = 1L;

    /** Makes the page /WEB-INF/pages/NAME.jsp. fields: what a person calls each field of the form. */
    Page(String name, Map<String, String> fields) {
        super(name, fields);
    }

    /**
     * Asks the model about what was sent; may leave attributes for the page.
     *
     * @throws InvalidForm if it can't be sent on
     */
    abstract Answer ask(HttpServletRequest request, Models models)
            throws InvalidForm, CallFailedException, ServletException, IOException;

    /** Returns the bars of an answer. */
    List<Bar> bars(Answer answer) {
        return Bar.of(answer);
    }

    @Override
    final void answer(HttpServletRequest request, Models models)
            throws InvalidForm, CallFailedException, ServletException, IOException {
        Answer answer = ask(request, models);
        request.setAttribute("bars", bars(answer));
        request.setAttribute("modelVersion", answer.modelVersion());
    }
}
