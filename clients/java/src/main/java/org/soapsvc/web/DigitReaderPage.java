package org.soapsvc.web;

import jakarta.servlet.ServletException;
import jakarta.servlet.annotation.MultipartConfig;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.Map;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
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
public final class DigitReaderPage extends Page {

    private static final long serialVersionUID = 1L;

    /** Makes the page. */
    public DigitReaderPage() {
        super("digit-reader", Map.of("image", "Picture"));
    }

    @Override
    Answer ask(HttpServletRequest request, Models models)
            throws InvalidForm, CallFailedException, ServletException, IOException {
        byte[] picture = Upload.picture(request);
        if (picture.length == 0) {
            throw new InvalidForm("image", "Picture: expected a PNG or JPEG file, received nothing.");
        }
        Reading reading = models.digitReader().read(picture);
        request.setAttribute("reading", reading);
        showWithItsSize(request, picture);
        return new Answer(reading.digits().stream().map(Place::digit).toList(), reading.modelVersion());
    }

    /** Leaves the picture for the page with the width and height that the boxes are in, where Java can tell them. */
    private static void showWithItsSize(HttpServletRequest request, byte[] picture) throws IOException {
        try (ImageInputStream content = ImageIO.createImageInputStream(new ByteArrayInputStream(picture))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(content);
            if (readers.hasNext()) {
                ImageReader reader = readers.next();
                reader.setInput(content);
                request.setAttribute("width", reader.getWidth(0));
                request.setAttribute("height", reader.getHeight(0));
                Upload.show(request, picture);
                reader.dispose();
            }
        }
    }
}
