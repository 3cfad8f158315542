package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.soapsvc.client.iris.ArrayOfInstance;
import org.soapsvc.client.iris.Instance;
import org.soapsvc.client.iris.InvalidInput;
import org.soapsvc.client.iris.InvalidInput_Exception;
import org.soapsvc.client.iris.Iris;
import org.soapsvc.client.iris.IrisService;
import org.soapsvc.client.iris.ModelInfo;
import org.soapsvc.client.iris.Prediction;
import org.soapsvc.client.iris.ScoredLabel;

class IrisIT {

    private final Iris iris = Server.at("/soap/iris/v1", new IrisService().getIrisPort());

    @Test
    void predict_ofASetosa_saysSetosa() throws Exception {
        Prediction prediction = iris.predict(5.1, 3.5, 1.4, 0.2);

        List<Double> scores = scores(prediction);
        assertEquals("setosa", species(prediction));
        assertEquals(3, scores.size());
        assertTrue(IntStream.range(1, 3).allMatch(i -> scores.get(i - 1) >= scores.get(i)), scores::toString);
        assertEquals(1.0, scores.stream().mapToDouble(Double::doubleValue).sum(), 1e-5);
        assertEquals(1, prediction.getModelVersion());
    }

    @Test
    void predict_ofNaN_namesTheField() {
        InvalidInput_Exception e =
                assertThrows(InvalidInput_Exception.class, () -> iris.predict(5.1, 3.5, Double.NaN, 0.2));

        InvalidInput fault = e.getFaultInfo();
        assertEquals("not-finite", fault.getCode());
        assertEquals("petalLength", fault.getField());
        assertEquals("a finite number", fault.getExpected());
        assertEquals("NaN", fault.getReceived());
        assertEquals("petalLength: expected a finite number, received NaN", fault.getMessage());
        assertEquals(fault.getMessage(), e.getMessage());
        assertFalse(fault.getRequestId().isBlank());
    }

    @Test
    void predictBatch_ofThreeFlowers_keepsTheirOrder() throws Exception {
        List<Prediction> predictions = iris.predictBatch(batch(
                flower(6.7, 2.5, 5.8, 1.8), flower(5.1, 3.5, 1.4, 0.2), flower(6.1, 2.8, 4.0, 1.3))).getItem();

        assertEquals(
                List.of("virginica", "setosa", "versicolor"), predictions.stream().map(IrisIT::species).toList());
    }

    @Test
    void predictBatch_ofNaNInTheSecondFlower_namesFlowerAndField() {
        ArrayOfInstance batch = batch(flower(5.1, 3.5, 1.4, 0.2), flower(5.1, 3.5, Double.POSITIVE_INFINITY, 0.2));

        InvalidInput fault = invalid(batch);

        assertEquals("instances[1].petalLength", fault.getField());
        assertEquals("INF", fault.getReceived());
    }

    @Test
    void predictBatch_ofNothing_isInvalidInput() {
        InvalidInput fault = invalid(batch());

        assertEquals("empty", fault.getCode());
        assertEquals("instances", fault.getField());
    }

    @Test
    void predictBatch_ofNoBatch_isInvalidInput() {
        assertEquals("instances", invalid(null).getField());
    }

    @Test
    void getModelInfo_tellsVersionAndLimits() throws Exception {
        ModelInfo model = iris.getModelInfo();

        assertEquals("iris", model.getName());
        assertEquals(1, model.getModelVersion());
        assertEquals(1, model.getContractVersion());
        assertEquals(1000, model.getMaxBatch());
        assertTrue(model.getDescription().startsWith("Species of an iris flower"), model.getDescription());
    }

    private InvalidInput invalid(ArrayOfInstance batch) {
        return assertThrows(InvalidInput_Exception.class, () -> iris.predictBatch(batch)).getFaultInfo();
    }

    private static String species(Prediction prediction) {
        return prediction.getProbabilities().getItem().get(0).getLabel();
    }

    private static List<Double> scores(Prediction prediction) {
        return prediction.getProbabilities().getItem().stream().map(ScoredLabel::getScore).toList();
    }

    private static ArrayOfInstance batch(Instance... flowers) {
        ArrayOfInstance batch = new ArrayOfInstance();
        Stream.of(flowers).forEach(batch.getItem()::add);
        return batch;
    }

    private static Instance flower(double sepalLength, double sepalWidth, double petalLength, double petalWidth) {
        Instance flower = new Instance();
        flower.setSepalLength(sepalLength);
        flower.setSepalWidth(sepalWidth);
        flower.setPetalLength(petalLength);
        flower.setPetalWidth(petalWidth);
        return flower;
    }
}
