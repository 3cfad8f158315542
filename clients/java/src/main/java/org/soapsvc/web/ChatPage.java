package org.soapsvc.web;

import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpSession;
import java.util.Map;
import org.soapsvc.client.CallFailedException;

/** A conversation: each visitor has one, for as long as the HTTP session lasts. */
@WebServlet("/chat")
public final class ChatPage extends FormPage {

    private static final long serialVersionUID = 1L;
    private static final String ATTRIBUTE = Conversation.class.getName();
    private static final Object MAKING = new Object(); // held while a visitor with two windows gets one conversation

    /** Makes the page. */
    public ChatPage() {
        super("chat", Map.of("question", "Question"));
    }

    @Override
    void answer(HttpServletRequest request, Models models) throws InvalidForm, CallFailedException {
        if (request.getParameter("anew") != null) {
            request.getSession().removeAttribute(ATTRIBUTE);
            return;
        }
        String question = request.getParameter("question");
        if (question == null || question.isBlank()) {
            throw new InvalidForm("question", "Question: expected some words, received nothing.");
        }
        conversation(request.getSession()).say(question.strip(), models.chat());
        request.setAttribute("answered", true);
    }

    /** Leaves what was said for the page; who only looks gets no session. */
    @Override
    void prepare(HttpServletRequest request) {
        HttpSession session = request.getSession(false);
        if (session != null && session.getAttribute(ATTRIBUTE) instanceof Conversation conversation) {
            request.setAttribute("turns", conversation.turns());
        }
    }

    private static Conversation conversation(HttpSession session) {
        synchronized (MAKING) {
            if (session.getAttribute(ATTRIBUTE) instanceof Conversation conversation) {
                return conversation;
            }
            Conversation fresh = new Conversation();
            session.setAttribute(ATTRIBUTE, fresh);
            return fresh;
        }
    }
}
