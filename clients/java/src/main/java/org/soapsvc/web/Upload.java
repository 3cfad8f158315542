package org.soapsvc.web;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.Part;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;

/** A picture that a form's field `image` sent, and how a page shows it again. */
final class Upload {

    static final long MAX_BYTES = 10 << 20;

    private static final int MAX_SHOWN_BYTES = 1 << 20; // a larger picture would make a page of many megabytes

    private Upload() {
    }

    /** Returns the bytes of the picture, none when no file was chosen. */
    static byte[] picture(HttpServletRequest request) throws InvalidForm, ServletException, IOException {
        Part upload;
        try {
            upload = request.getPart("image");
        } catch (IllegalStateException e) { // what the servlet API has for a limit of MultipartConfig
            throw new InvalidForm("image", "Picture: expected at most 10 MB, received more.");
        }
        if (upload == null) {
            return new byte[0];
        }
        try (InputStream bytes = upload.getInputStream()) {
            return bytes.readAllBytes();
        }
    }

    /** Leaves the picture for the page, if it is one that a browser can show, and not too large. */
    static void show(HttpServletRequest request, byte[] picture) {
        String address = address(picture);
        if (!address.isEmpty()) {
            request.setAttribute("picture", address);
        }
    }

    /** Returns a picture as a data URL, empty when a browser can't show it or it is too large. */
    static String address(byte[] picture) {
        String type = "";
        if (picture.length > 3 && picture[1] == 'P' && picture[2] == 'N' && picture[3] == 'G') {
            type = "image/png";
        } else if (picture.length > 1 && picture[0] == (byte) 0xFF && picture[1] == (byte) 0xD8) {
            type = "image/jpeg";
        }
        if (type.isEmpty() || picture.length > MAX_SHOWN_BYTES) {
            return "";
        }
        return "data:" + type + ";base64," + Base64.getEncoder().encodeToString(picture);
    }
}
