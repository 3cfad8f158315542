package org.soapsvc.client;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;

/** Pictures for the models, as the bytes of a file. */
public final class Pictures {

    private Pictures() {
    }

    /** Returns the PNG of the model's first warm-up call. */
    public static byte[] sampleOfOne() throws IOException {
        return firstOf("/digits/warmup.jsonl");
    }

    /** Returns the JPEG of digit-reader's first warm-up call. */
    public static byte[] scene() throws IOException {
        return firstOf("/digit-reader/warmup.jsonl");
    }

    /** Returns the JPEG of a photograph with one face. */
    public static byte[] face() throws IOException {
        try (InputStream picture = Pictures.class.getResourceAsStream("/astronaut.jpg")) {
            return picture.readAllBytes();
        }
    }

    /** Returns a photograph with one face as a PNG, several times as large, and too large for a page to show as it is. */
    public static byte[] largeFace(int times) throws IOException {
        BufferedImage small = ImageIO.read(new ByteArrayInputStream(face()));
        BufferedImage large =
                new BufferedImage(times * small.getWidth(), times * small.getHeight(), BufferedImage.TYPE_INT_RGB);
        Graphics2D pen = large.createGraphics();
        pen.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
        pen.drawImage(small, 0, 0, large.getWidth(), large.getHeight(), null);
        pen.dispose();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(large, "png", bytes);
        return bytes.toByteArray();
    }

    /** Returns the PNG of a white picture. */
    public static byte[] blank(int width, int height) throws IOException {
        BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D pen = picture.createGraphics();
        pen.setColor(Color.WHITE);
        pen.fillRect(0, 0, width, height);
        pen.dispose();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(picture, "png", bytes);
        return bytes.toByteArray();
    }

    private static byte[] firstOf(String warmUp) throws IOException {
        try (InputStream calls = Pictures.class.getResourceAsStream(warmUp)) {
            String text = new String(calls.readAllBytes(), StandardCharsets.US_ASCII);
            Matcher picture = Pattern.compile("\"b64\": \"([^\"]+)\"").matcher(text);
            picture.find();
            return Base64.getDecoder().decode(picture.group(1));
        }
    }

    public static byte[] drawnZero(String format) throws IOException {
        BufferedImage picture = new BufferedImage(200, 200, BufferedImage.TYPE_INT_RGB);
        Graphics2D pen = picture.createGraphics();
        pen.setColor(Color.WHITE);
        pen.fillRect(0, 0, 200, 200);
        pen.setColor(Color.BLACK);
        pen.setStroke(new BasicStroke(20));
        pen.drawOval(60, 30, 80, 140);
        pen.dispose();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(picture, format, bytes);
        return bytes.toByteArray();
    }

    /** Returns the PNG of a square of noise, which PNG can't make smaller: 3 bytes for each pixel. */
    static byte[] noise(int size) throws IOException {
        BufferedImage picture = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
        int[] pixels = new Random(1).ints((long) size * size).toArray();
        picture.setRGB(0, 0, size, size, pixels, 0, size);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(picture, "png", bytes);
        return bytes.toByteArray();
    }
}
