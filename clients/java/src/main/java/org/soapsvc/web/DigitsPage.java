package org.soapsvc.web;

import jakarta.servlet.ServletException;
import jakarta.servlet.annotation.MultipartConfig;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.Base64;
import java.util.Map;
import org.soapsvc.client.Answer;
import org.soapsvc.client.CallFailedException;

/** A picture of a digit in, uploaded or drawn, the digit out. */
@WebServlet("/digits")
@MultipartConfig(
        fileSizeThreshold = 1 << 20,
        maxFileSize = Upload.MAX_BYTES,
        maxRequestSize = Upload.MAX_BYTES + (1 << 20))
public final class DigitsPage extends Page {

    private static final long serialVersionUID = 1L;
    private static final String DRAWING_PREFIX = "data:image/png;base64,";

    /** Makes the page. */
    public DigitsPage() {
        super("digits", Map.of("image", "Picture"));
    }

    @Override
    Answer ask(HttpServletRequest request, Models models)
            throws InvalidForm, CallFailedException, ServletException, IOException {
        byte[] picture = picture(request);
        Upload.show(request, picture);
        return models.digits().classify(picture);
    }

    private static byte[] picture(HttpServletRequest request) throws InvalidForm, ServletException, IOException {
        byte[] upload = Upload.picture(request);
        String drawing = request.getParameter("drawing");
        if (upload.length > 0) {
            return upload;
        }
        if (drawing != null && drawing.startsWith(DRAWING_PREFIX)) {
            return drawn(drawing.substring(DRAWING_PREFIX.length()));
        }
        throw new InvalidForm("image", "Picture: expected a PNG or JPEG file or a drawing, received nothing.");
    }

    private static byte[] drawn(String base64) throws InvalidForm {
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw new InvalidForm("image", "Picture: the drawing arrived broken. Draw it again.");
        }
    }
}
