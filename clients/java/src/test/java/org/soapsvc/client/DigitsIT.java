package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.soapsvc.client.digits.ArrayOfInstance;
import org.soapsvc.client.digits.Digits;
import org.soapsvc.client.digits.DigitsService;
import org.soapsvc.client.digits.Instance;
import org.soapsvc.client.digits.InvalidInput_Exception;
import org.soapsvc.client.digits.Prediction;

class DigitsIT {

    private final Digits digits = Server.at("/soap/digits/v1", new DigitsService().getDigitsPort());

    @Test
    void predict_ofTheModelsOwnSample_saysOne() throws Exception {
        Prediction prediction = digits.predict(sampleOfOne());

        assertEquals("1", digit(prediction));
        assertEquals(3, prediction.getProbabilities().getItem().size());
        assertEquals(1, prediction.getModelVersion());
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpeg"})
    void predict_ofADrawnZero_saysZero(String format) throws Exception {
        assertEquals("0", digit(digits.predict(drawnZero(format))));
    }

    @Test
    void predictBatch_ofTwoPictures_keepsTheirOrder() throws Exception {
        ArrayOfInstance batch = new ArrayOfInstance();
        batch.getItem().add(instance(drawnZero("png")));
        batch.getItem().add(instance(sampleOfOne()));

        assertEquals(
                "01", String.join("", digits.predictBatch(batch).getItem().stream().map(DigitsIT::digit).toList()));
    }

    @Test
    void predict_ofWhatIsNoPicture_namesTheField() {
        byte[] text = "no picture".getBytes(StandardCharsets.US_ASCII);

        InvalidInput_Exception e = assertThrows(InvalidInput_Exception.class, () -> digits.predict(text));

        assertEquals("image", e.getFaultInfo().getField());
    }

    private static String digit(Prediction prediction) {
        return prediction.getProbabilities().getItem().get(0).getLabel();
    }

    private static Instance instance(byte[] picture) {
        Instance instance = new Instance();
        instance.setImage(picture);
        return instance;
    }

    /** Returns the PNG of the model's first warm-up call. */
    private static byte[] sampleOfOne() throws IOException {
        try (InputStream calls = DigitsIT.class.getResourceAsStream("/digits/warmup.jsonl")) {
            String text = new String(calls.readAllBytes(), StandardCharsets.US_ASCII);
            Matcher picture = Pattern.compile("\"b64\": \"([^\"]+)\"").matcher(text);
            picture.find();
            return Base64.getDecoder().decode(picture.group(1));
        }
    }

    private static byte[] drawnZero(String format) throws IOException {
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
}
