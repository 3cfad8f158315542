package org.soapsvc.web;

import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.soapsvc.client.Answer;
import org.soapsvc.client.CallFailedException;

/** A text in, its language out. */
@WebServlet("/language")
public final class LanguagePage extends Page {

    private static final long serialVersionUID = 1L;

    /** Makes the page. */
    public LanguagePage() {
        super("language", Map.of("text", "Text"));
    }

    @Override
    Answer ask(HttpServletRequest request, Models models) throws InvalidForm, CallFailedException {
        String text = request.getParameter("text");
        if (text == null || text.isBlank()) {
            throw new InvalidForm("text", "Text: expected some words, received nothing.");
        }
        return models.language().classify(text);
    }

    /** Returns bars that name each language in English. */
    @Override
    List<Bar> bars(Answer answer) {
        return answer.scores().stream()
                .map(score -> Bar.bar(Locale.forLanguageTag(score.label()).getDisplayLanguage(Locale.ENGLISH), score))
                .toList();
    }
}
