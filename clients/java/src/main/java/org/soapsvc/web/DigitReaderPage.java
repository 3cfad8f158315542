package org.soapsvc.web;

import jakarta.servlet.annotation.MultipartConfig;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServletRequest;
import org.soapsvc.client.Answer;
import org.soapsvc.client.CallFailedException;
import org.soapsvc.client.DigitReaderClient.Place;
import org.soapsvc.client.DigitReaderClient.Reading;

/** A photograph in, the digits in it out, each in its box. */
@WebServlet("/digit-reader")
@MultipartConfig(
        fileSizeThreshold = 1 << 20,
        maxFileSize = Upload.MAX_BYTES,
        maxRequestSize = Upload.MAX_BYTES + (1 << 20))
public final class DigitReaderPage extends PhotographPage {

    private static final long serialVersionUID = 1L;

    /** Makes the page. */
    public DigitReaderPage() {
        super("digit-reader");
    }

    @Override
    Answer find(byte[] picture, HttpServletRequest request, Models models) throws CallFailedException {
        Reading reading = models.digitReader().read(picture);
        request.setAttribute("reading", reading);
        return new Answer(reading.digits().stream().map(Place::digit).toList(), reading.modelVersion());
    }
}
