package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
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
        Prediction prediction = digits.predict(Pictures.sampleOfOne());

        assertEquals("1", digit(prediction));
        assertEquals(3, prediction.getProbabilities().getItem().size());
        assertEquals(1, prediction.getModelVersion());
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpeg"})
    void predict_ofADrawnZero_saysZero(String format) throws Exception {
        assertEquals("0", digit(digits.predict(Pictures.drawnZero(format))));
    }

    @Test
    void predictBatch_ofTwoPictures_keepsTheirOrder() throws Exception {
        ArrayOfInstance batch = new ArrayOfInstance();
        batch.getItem().add(instance(Pictures.drawnZero("png")));
        batch.getItem().add(instance(Pictures.sampleOfOne()));

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
}
