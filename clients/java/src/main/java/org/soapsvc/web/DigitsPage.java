package org.soapsvc.web;

import jakarta.servlet.ServletException;
import jakarta.servlet.annotation.MultipartConfig;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.Part;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import java.util.Map;
import org.soapsvc.client.Answer;
import org.soapsvc.client.CallFailedException;

/** A picture of a digit in, uploaded or drawn, the digit out. */
@WebServlet("/digits")
@MultipartConfig(
        fileSizeThreshold = 1 << 20,
        maxFileSize = DigitsPage.MAX_PICTURE_BYTES,
        maxRequestSize = DigitsPage.MAX_PICTURE_BYTES + (1 << 20))
public final class DigitsPage extends Page {

    static final long MAX_PICTURE_BYTES = 10 << 20;

    private static final long serialVersionUID = 1L;
    private static final int MAX_SHOWN_BYTES = 1 << 20; // a larger picture would make a page of many megabytes
    private static final String DRAWING_PREFIX = "data:image/png;base64,";

    /** Makes the page. */
    public DigitsPage() {
        super("digits", Map.of("image", "Picture"));
    }

    @Override
    Answer ask(HttpServletRequest request, Models models)
            throws InvalidForm, CallFailedException, ServletException, IOException {
        byte[] picture = picture(request);
        if (picture.length <= MAX_SHOWN_BYTES) {
            showPicture(request, picture);
        }
        return models.digits().classify(picture);
    }

    private static byte[] picture(HttpServletRequest request) throws InvalidForm, ServletException, IOException {
        Part upload;
        try {
            upload = request.getPart("image");
        } catch (IllegalStateException e) { // what the servlet API has for a limit of MultipartConfig
            throw new InvalidForm("image", "Picture: expected at most 10 MB, received more.");
        }
        if (upload != null && upload.getSize() > 0) {
            try (InputStream bytes = upload.getInputStream()) {
                return bytes.readAllBytes();
            }
        }
        String drawing = request.getParameter("drawing");
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

    /** Leaves the picture for the page, if it is one that a browser can show. */
    private static void showPicture(HttpServletRequest request, byte[] picture) {
        String type = "";
        if (picture.length > 3 && picture[1] == 'P' && picture[2] == 'N' && picture[3] == 'G') {
            type = "image/png";
        } else if (picture.length > 1 && picture[0] == (byte) 0xFF && picture[1] == (byte) 0xD8) {
            type = "image/jpeg";
        }
        if (!type.isEmpty()) {
            String base64 = Base64.getEncoder().encodeToString(picture);
            request.setAttribute("picture", "data:" + type + ";base64," + base64);
        }
    }
}
