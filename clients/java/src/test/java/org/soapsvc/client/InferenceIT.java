package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.soapsvc.client.Tensors.output;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.soapsvc.client.inference.ArrayOfNamedTensor;
import org.soapsvc.client.inference.ArrayOfString;
import org.soapsvc.client.inference.DType;
import org.soapsvc.client.inference.Inference;
import org.soapsvc.client.inference.InferenceResult;
import org.soapsvc.client.inference.InferenceService;
import org.soapsvc.client.inference.InvalidInput_Exception;
import org.soapsvc.client.inference.ModelMetadata;
import org.soapsvc.client.inference.ModelNotFound;
import org.soapsvc.client.inference.ModelNotFound_Exception;
import org.soapsvc.client.inference.ModelStatus;
import org.soapsvc.client.inference.NamedTensor;
import org.soapsvc.client.inference.Tensor;
import org.soapsvc.client.inference.TensorSpec;

class InferenceIT {

    private static final List<Long> TWO_FLOWERS = List.of(2L, 4L);
    private static final Double[] SETOSA_AND_VIRGINICA = {5.1, 3.5, 1.4, 0.2, 6.7, 2.5, 5.8, 1.8};

    private final Inference inference = Server.at("/soap/inference/v1", new InferenceService().getInferencePort());

    @Test
    void predict_withNumbers_answersNumbers() throws Exception {
        InferenceResult result = predictIris(numbers());

        Tensor probabilities = output(result, "probabilities");
        assertEquals("iris", result.getModelName());
        assertEquals(1, result.getModelVersion());
        assertEquals(DType.FLOAT_32, probabilities.getDtype());
        assertEquals(List.of(2L, 3L), probabilities.getShape().getItem());
        assertTrue(probabilities.getDoubles().getItem().get(0) > 0.9, "the first is a setosa");
        assertTrue(probabilities.getDoubles().getItem().get(5) > 0.9, "the second is a virginica");
        assertNull(probabilities.getContent());
    }

    @Test
    void predict_withContent_answersTheSameAsContent() throws Exception {
        List<Double> expected = output(predictIris(numbers()), "probabilities").getDoubles().getItem();

        Tensor probabilities =
                output(predictIris(Tensors.content(TWO_FLOWERS, SETOSA_AND_VIRGINICA)), "probabilities");

        ByteBuffer values = ByteBuffer.wrap(probabilities.getContent()).order(ByteOrder.LITTLE_ENDIAN);
        assertNull(probabilities.getDoubles());
        assertEquals(expected.size() * Float.BYTES, values.remaining());
        for (Double one : expected) {
            assertEquals(one.floatValue(), values.getFloat(), 1e-6f);
        }
    }

    @Test
    void predict_withNaNAndInfinities_keepsThem() throws Exception {
        Double[] pair = {Double.NaN, Double.NEGATIVE_INFINITY};
        Map<String, Tensor> inputs = Tensors.kinds();
        inputs.put("pair", Tensors.doubles(DType.FLOAT_64, List.of(1L, 2L), pair));
        inputs.put("ratio", Tensors.doubles(DType.FLOAT_64, List.of(1L), Double.POSITIVE_INFINITY));

        InferenceResult result = predict("kinds", inputs);

        assertEquals(List.of(pair), output(result, "scores").getDoubles().getItem());
        assertEquals(List.of(Double.POSITIVE_INFINITY), output(result, "ratio").getDoubles().getItem());
    }

    @Test
    void predict_withEveryDtype_answersEachInItsCarrier() throws Exception {
        InferenceResult result = predict("kinds", Tensors.kinds());

        assertEquals(DType.BOOL, output(result, "flag").getDtype());
        assertEquals(List.of(1L), output(result, "flag").getLongs().getItem());
        assertEquals(List.of(-3L), output(result, "count").getLongs().getItem());
        assertEquals(List.of(1L << 40), output(result, "total").getLongs().getItem());
        assertEquals(DType.UINT_8, output(result, "level").getDtype());
        assertEquals(List.of(200L), output(result, "level").getLongs().getItem());
        assertEquals(List.of(0.1), output(result, "ratio").getDoubles().getItem());
        assertEquals(List.of("你好 & <ü>"), output(result, "note").getStrings().getItem());
        assertEquals(List.of(), output(result, "words").getStrings().getItem());
        assertEquals(List.of(1L, 0L), output(result, "words").getShape().getItem());
    }

    @Test
    void predict_ofSomeOutputs_answersOnlyThoseInThatOrder() throws Exception {
        ArrayOfString wanted = new ArrayOfString();
        wanted.getItem().addAll(List.of("note", "count"));

        InferenceResult result = inference.predict("kinds", 1L, null, null, Tensors.named(Tensors.kinds()), wanted);

        assertEquals(
                List.of("note", "count"),
                result.getOutputs().getItem().stream().map(NamedTensor::getName).toList());
    }

    @Test
    void predict_withTooFewNumbers_namesTheTensor() {
        Tensor features = Tensors.doubles(DType.FLOAT_32, List.of(3L, 4L), SETOSA_AND_VIRGINICA);

        InvalidInput_Exception e = assertThrows(InvalidInput_Exception.class, () -> predictIris(features));

        assertEquals("wrong-shape", e.getFaultInfo().getCode());
        assertEquals("inputs[0].tensor.doubles", e.getFaultInfo().getField());
        assertEquals("8 values", e.getFaultInfo().getReceived());
    }

    @Test
    void predict_ofAnUnknownModel_isModelNotFound() {
        ModelNotFound_Exception e =
                assertThrows(ModelNotFound_Exception.class, () -> predict("no-such-model", Map.of()));

        ModelNotFound fault = e.getFaultInfo();
        assertFalse(fault.getCode().isBlank());
        assertFalse(fault.getRequestId().isBlank());
        assertTrue(fault.getMessage().contains("no-such-model"), fault.getMessage());
        assertEquals(fault.getMessage(), e.getMessage());
    }

    @Test
    void predict_ofAnUnknownVersion_isModelNotFound() {
        ArrayOfNamedTensor inputs = Tensors.named(Map.of("features", numbers()));

        ModelNotFound_Exception e = assertThrows(
                ModelNotFound_Exception.class, () -> inference.predict("iris", 99L, null, null, inputs, null));

        assertTrue(e.getMessage().contains("99"), e.getMessage());
    }

    @Test
    void getModel_ofAnUnknownVersion_isModelNotFound() {
        assertThrows(ModelNotFound_Exception.class, () -> inference.getModel("iris", 99L, null, null));
    }

    @Test
    void getModel_tellsInputsAndOutputs() throws Exception {
        ModelMetadata model = inference.getModel("iris", null, null, null);

        TensorSpec features = model.getInputs().getItem().get(0);
        assertEquals("iris", model.getModelName());
        assertEquals(1, model.getModelVersion());
        assertEquals("predict", model.getSignature());
        assertEquals(1000, model.getMaxBatch());
        assertEquals("features", features.getName());
        assertEquals(DType.FLOAT_32, features.getDtype());
        assertEquals(List.of(-1L, 4L), features.getShape().getItem());
        assertFalse(features.isOptional());
        assertEquals(
                List.of("probabilities"), model.getOutputs().getItem().stream().map(TensorSpec::getName).toList());
    }

    @Test
    void listModels_tellsEachModelsState() throws Exception {
        List<ModelStatus> models = inference.listModels().getItem();

        ModelStatus iris = models.stream().filter(one -> one.getModelName().equals("iris")).findFirst().orElseThrow();
        assertEquals(1, iris.getModelVersion());
        assertEquals("AVAILABLE", iris.getState());
        assertNull(iris.getReason());
    }

    private InferenceResult predictIris(Tensor features) throws Exception {
        return predict("iris", Map.of("features", features));
    }

    private InferenceResult predict(String model, Map<String, Tensor> inputs) throws Exception {
        return inference.predict(model, null, null, null, Tensors.named(inputs), null);
    }

    private static Tensor numbers() {
        return Tensors.doubles(DType.FLOAT_32, TWO_FLOWERS, SETOSA_AND_VIRGINICA);
    }
}
