package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.soapsvc.client.Tensors.output;

import jakarta.xml.ws.soap.MTOMFeature;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.soapsvc.client.digits.Digits;
import org.soapsvc.client.digits.DigitsService;
import org.soapsvc.client.digits.InvalidInput_Exception;
import org.soapsvc.client.digits.Prediction;
import org.soapsvc.client.inference.Inference;
import org.soapsvc.client.inference.InferenceService;
import org.soapsvc.client.inference.Tensor;
import org.soapsvc.client.kinds.Instance;
import org.soapsvc.client.kinds.Kinds;
import org.soapsvc.client.kinds.KindsService;

/** Bytes as attachments, in requests and in answers, give what base64 gives. */
class MtomIT {

    private final DigitsService service = new DigitsService();
    private final Digits plain = Server.at("/soap/digits/v1", service.getDigitsPort());
    private final Digits mtom = Server.at("/soap/digits/v1", service.getDigitsPort(new MTOMFeature()));

    @Test
    void smallPicture_asAttachment_answersAlike() throws Exception {
        byte[] picture = Pictures.sampleOfOne();
        assertTrue(picture.length < 200, "a hundred bytes or so");

        assertEquals(scores(plain.predict(picture)), scores(mtom.predict(picture)));
    }

    @Test
    void pictureUnderTheThreshold_goesAsBase64InTheSameMessage() throws Exception {
        Digits thresholded = Server.at("/soap/digits/v1", service.getDigitsPort(new MTOMFeature(10_000)));
        byte[] picture = Pictures.sampleOfOne();

        assertEquals(scores(plain.predict(picture)), scores(thresholded.predict(picture)));
    }

    @Test
    void pictureOf18Megabytes_asAttachment_isAccepted() throws Exception {
        byte[] picture = Pictures.noise(2450);
        assertTrue(picture.length > 18_000_000, () -> picture.length + " bytes");

        assertEquals(3, scores(mtom.predict(picture)).size());
    }

    @Test
    void attachmentThatIsNoPicture_isTheSameTypedFault() {
        InvalidInput_Exception e =
                assertThrows(InvalidInput_Exception.class, () -> mtom.predict(new byte[] {1, 2, 3}));

        assertEquals("bad-image", e.getFaultInfo().getCode());
        assertEquals("image", e.getFaultInfo().getField());
    }

    @Test
    void picture_ofAllKinds_comesBackAsItsPixels() throws Exception {
        Kinds kinds = Server.at("/soap/kinds/v1", new KindsService().getKindsPort(new MTOMFeature()));
        Instance instance = KindsCall.instance();

        byte[] pixels = KindsCall.predict(kinds, instance).getPixels().getContent();

        assertArrayEquals(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, pixels);
    }

    @Test
    void content_bothWays_isTheSameAsBase64() throws Exception {
        InferenceService inference = new InferenceService();

        byte[] expected = probabilities(Server.at("/soap/inference/v1", inference.getInferencePort()));
        byte[] attached =
                probabilities(Server.at("/soap/inference/v1", inference.getInferencePort(new MTOMFeature())));

        assertEquals(2 * 3 * Float.BYTES, expected.length);
        assertArrayEquals(expected, attached);
    }

    private static byte[] probabilities(Inference port) throws Exception {
        Tensor flowers = Tensors.content(List.of(2L, 4L), 5.1, 3.5, 1.4, 0.2, 6.7, 2.5, 5.8, 1.8);
        var inputs = Tensors.named(Map.of("features", flowers));
        return output(port.predict("iris", null, null, null, inputs, null), "probabilities").getContent();
    }

    private static List<Score> scores(Prediction prediction) {
        return prediction.getProbabilities().getItem().stream()
                .map(one -> new Score(one.getLabel(), one.getScore()))
                .toList();
    }
}
