package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.soapsvc.client.Tensors.output;

import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.handler.MessageContext;
import jakarta.xml.ws.soap.MTOMFeature;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.soapsvc.client.digits.Digits;
import org.soapsvc.client.digits.DigitsService;
import org.soapsvc.client.digits.InvalidInput_Exception;
import org.soapsvc.client.digits.Prediction;
import org.soapsvc.client.inference.DType;
import org.soapsvc.client.inference.Inference;
import org.soapsvc.client.inference.InferenceService;
import org.soapsvc.client.inference.Tensor;
import org.soapsvc.client.kinds.Instance;
import org.soapsvc.client.kinds.Kinds;
import org.soapsvc.client.kinds.KindsService;

/** Bytes as attachments, in requests and in answers, give what base64 and numbers give. */
class MtomIT {

    private static final List<Long> FLOWERS = List.of(2L, 4L);
    private static final Double[] VALUES = {5.1, 3.5, 1.4, 0.2, 6.7, 2.5, 5.8, 1.8};

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
    void content_bothWays_holdsTheSameAsNumbers() throws Exception {
        Inference inference = Server.at("/soap/inference/v1", new InferenceService().getInferencePort(new MTOMFeature()));
        List<Double> expected =
                probabilities(inference, Tensors.doubles(DType.FLOAT_32, FLOWERS, VALUES)).getDoubles().getItem();
        assertTrue(answeredType(inference).startsWith("text/xml"), () -> answeredType(inference));

        byte[] content = probabilities(inference, Tensors.content(FLOWERS, VALUES)).getContent();

        assertTrue(answeredType(inference).startsWith("multipart/related"), () -> answeredType(inference));
        ByteBuffer values = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        assertEquals(2 * 3 * Float.BYTES, content.length);
        for (Double one : expected) {
            assertEquals(one.floatValue(), values.getFloat(), 1e-6f);
        }
    }

    private static Tensor probabilities(Inference port, Tensor flowers) throws Exception {
        var inputs = Tensors.named(Map.of("features", flowers));
        return output(port.predict("iris", null, null, null, inputs, null), "probabilities");
    }

    /** Returns the Content-Type of the last answer that a port had. */
    @SuppressWarnings("unchecked")
    private static String answeredType(Object port) {
        var headers = (Map<String, List<String>>)
                ((BindingProvider) port).getResponseContext().get(MessageContext.HTTP_RESPONSE_HEADERS);
        return headers.entrySet().stream()
                .filter(header -> "Content-Type".equalsIgnoreCase(header.getKey()))
                .findFirst().orElseThrow().getValue().get(0);
    }

    private static List<Score> scores(Prediction prediction) {
        return prediction.getProbabilities().getItem().stream()
                .map(one -> new Score(one.getLabel(), one.getScore()))
                .toList();
    }
}
