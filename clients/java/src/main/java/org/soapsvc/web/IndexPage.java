package org.soapsvc.web;

import jakarta.servlet.ServletException;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.soapsvc.client.CallFailedException;
import org.soapsvc.client.ModelClient;
import org.soapsvc.client.ModelSummary;

/** The models, and which of their services answer now. */
@WebServlet("")
public final class IndexPage extends HttpServlet {

    private static final long serialVersionUID = 1L;

    /**
     * A model as the index shows it.
     *
     * @param summary null when the service does not answer; then problem says why
     */
    public record Entry(String page, ModelSummary summary, String problem) {
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        List<Entry> entries = Models.in(getServletContext()).byPage().entrySet().stream()
                .map(one -> entry(one.getKey(), one.getValue()))
                .toList();
        request.setAttribute("entries", entries);
        request.getRequestDispatcher("/WEB-INF/pages/index.jsp").forward(request, response);
    }

    private static Entry entry(String page, ModelClient client) {
        try {
            return new Entry(page, client.describe(), null);
        } catch (CallFailedException e) {
            return new Entry(page, null, Problem.of(page, e, Map.of()).sentence());
        }
    }
}
