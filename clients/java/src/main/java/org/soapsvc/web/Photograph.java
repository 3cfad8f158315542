package org.soapsvc.web;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * A picture that a page draws boxes on.
 *
 * @param address a data URL
 * @param width in pixels of what was sent, as the boxes are; what the address holds may be smaller
 */
public record Photograph(String address, int width, int height) {

    private static final int MOST_SHOWN_PIXELS_A_SIDE = 1000; // of one that is too large to be shown as it came

    /** The size, as SVG takes it. */
    public String viewBox() {
        return "0 0 " + width + " " + height;
    }

    /** Returns what a page can show of a picture, null where neither browser nor Java can. */
    static Photograph of(byte[] picture) {
        try (ImageInputStream content = ImageIO.createImageInputStream(new ByteArrayInputStream(picture))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(content);
            return readers.hasNext() ? read(readers.next(), content, picture) : null;
        } catch (IOException e) { // a kind of JPEG that Java has no decoder for; the model may have one
            return null;
        }
    }

    private static Photograph read(ImageReader reader, ImageInputStream content, byte[] picture) throws IOException {
        try {
            reader.setInput(content);
            int width = reader.getWidth(0);
            int height = reader.getHeight(0);
            String address = Upload.address(picture);
            if (address.isEmpty()) {
                address = Upload.address(smaller(reader, Math.max(width, height)));
            }
            return address.isEmpty() ? null : new Photograph(address, width, height);
        } finally {
            reader.dispose();
        }
    }

    /** Returns a JPEG of every n-th pixel, so that a large picture is never whole in memory. */
    private static byte[] smaller(ImageReader reader, int side) throws IOException {
        int step = (side + MOST_SHOWN_PIXELS_A_SIDE - 1) / MOST_SHOWN_PIXELS_A_SIDE;
        ImageReadParam everyNth = reader.getDefaultReadParam();
        everyNth.setSourceSubsampling(step, step, 0, 0);
        BufferedImage some = reader.read(0, everyNth);
        BufferedImage opaque = new BufferedImage(some.getWidth(), some.getHeight(), BufferedImage.TYPE_INT_RGB);
        opaque.createGraphics().drawImage(some, 0, 0, null);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(opaque, "jpeg", bytes);
        return bytes.toByteArray();
    }
}
