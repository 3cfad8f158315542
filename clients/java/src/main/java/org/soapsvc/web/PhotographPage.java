package org.soapsvc.web;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.Map;
import org.soapsvc.client.Answer;
import org.soapsvc.client.CallFailedException;

/** A page that takes a photograph, and shows it again with a box around each thing that was found. */
abstract class PhotographPage extends Page {

    private static final long serialVersionUID = 1L;

    /** Makes the page /WEB-INF/pages/NAME.jsp, whose form has the one field `image`. */
    PhotographPage(String name) {
        super(name, Map.of("image", "Picture"));
    }

    /** Asks the model about a picture, and leaves what it found for the page; returns a score for each thing found. */
    abstract Answer find(byte[] picture, HttpServletRequest request, Models models) throws CallFailedException;

    @Override
    final Answer ask(HttpServletRequest request, Models models)
            throws InvalidForm, CallFailedException, ServletException, IOException {
        byte[] picture = Upload.picture(request);
        if (picture.length == 0) {
            throw new InvalidForm("image", "Picture: expected a PNG or JPEG file, received nothing.");
        }
        Answer answer = find(picture, request, models);
        request.setAttribute("photograph", Photograph.of(picture));
        return answer;
    }
}
