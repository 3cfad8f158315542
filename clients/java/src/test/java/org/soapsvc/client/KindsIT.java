package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.soapsvc.client.kinds.ArrayOfInstance;
import org.soapsvc.client.kinds.DType;
import org.soapsvc.client.kinds.Instance;
import org.soapsvc.client.kinds.InvalidInput;
import org.soapsvc.client.kinds.InvalidInput_Exception;
import org.soapsvc.client.kinds.Kinds;
import org.soapsvc.client.kinds.KindsService;
import org.soapsvc.client.kinds.Prediction;
import org.soapsvc.client.kinds.ScoredLabel;
import org.soapsvc.client.kinds.Tensor;

/** Every kind of field goes to the server and comes back unchanged. */
class KindsIT {

    private final Kinds kinds = Server.at("/soap/kinds/v1", new KindsService().getKindsPort());
    private final Instance instance = KindsCall.instance();

    @ParameterizedTest
    @ValueSource(doubles = {
        Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.MAX_VALUE, Double.MIN_VALUE, -0.0,
        0.1, 1e23, 5.0
    })
    void doubles_comeBackToTheLastBit(double value) throws Exception {
        instance.setRatio(value);
        instance.setLeft(value);

        Prediction answer = predict();

        assertEquals(value, answer.getRatio());
        assertEquals(value, scores(answer).get("left"));
    }

    @Test
    void series_keepsNaNAndInfinities() throws Exception {
        Double[] values = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1.5};
        instance.setSeries(KindsCall.doubles(values));

        assertEquals(List.of(values), predict().getSeries().getItem());
    }

    @Test
    void series_ofFloat32_comesBackAsItsShortestDecimal() throws Exception {
        instance.setSeries(KindsCall.doubles(0.1));

        assertEquals(0.1f, predict().getSeries().getItem().get(0).floatValue());
    }

    @Test
    void scoredLabels_standBestFirst() throws Exception {
        List<String> labels = predict().getScores().getItem().stream().map(ScoredLabel::getLabel).toList();

        assertEquals(List.of("right", "left"), labels);
    }

    @Test
    void offset_ofNull_isLeftOut() throws Exception {
        instance.setOffset(null);

        assertEquals(0.0, predict().getShifted());
    }

    @Test
    void offset_ofAValue_isUsed() throws Exception {
        instance.setOffset(0.5);

        assertEquals(1.0, predict().getShifted());
    }

    @Test
    void offset_mayDifferWithinABatch() throws Exception {
        Instance shifted = KindsCall.instance();
        shifted.setOffset(2.0);
        ArrayOfInstance batch = new ArrayOfInstance();
        batch.getItem().addAll(List.of(instance, shifted));

        List<Prediction> answers = kinds.predictBatch(batch).getItem();

        assertEquals(List.of(0.0, 4.0), answers.stream().map(Prediction::getShifted).toList());
    }

    @ParameterizedTest
    @CsvSource({"true, -2147483648, -9223372036854775808, 0", "false, 2147483647, 9223372036854775807, 255"})
    void boolAndIntegers_comeBackAtTheirBounds(boolean flag, int count, long total, int level) throws Exception {
        instance.setFlag(flag);
        instance.setCount(count);
        instance.setTotal(total);
        instance.setLevel(level);
        instance.setCodes(KindsCall.longs(total, 0L, -total));

        Prediction answer = predict();

        assertEquals(flag, answer.isFlag());
        assertEquals(count, answer.getCount());
        assertEquals(total, answer.getTotal());
        assertEquals(level, answer.getLevel());
        assertEquals(List.of(total, 0L, -total), answer.getCodes().getItem());
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 256})
    void level_outsideABytesRange_isInvalidInput(int level) {
        instance.setLevel(level);

        InvalidInput fault = invalid();

        assertEquals("out-of-range", fault.getCode());
        assertEquals("level", fault.getField());
        assertEquals(String.valueOf(level), fault.getReceived());
    }

    @ParameterizedTest
    @ValueSource(strings = {"你好 & <ü>", "]]>", "\"quotes\" 'and'", "😀", " spaces  kept ", "tab\tnewline\nreturn\r", ""})
    void strings_comeBackAsTheyWere(String text) throws Exception {
        instance.setNote(text);
        instance.setWords(KindsCall.strings(text, "second"));

        Prediction answer = predict();

        assertEquals(text, answer.getNote());
        assertEquals(List.of(text, "second"), answer.getWords().getItem());
    }

    @Test
    void note_ofNull_isInvalidInput() {
        instance.setNote(null);

        assertEquals("note", invalid().getField());
    }

    @Test
    void vectors_mayBeEmpty() throws Exception {
        instance.setSeries(KindsCall.doubles());
        instance.setCodes(KindsCall.longs());
        instance.setWords(KindsCall.strings());

        Prediction answer = predict();

        assertEquals(List.of(), answer.getSeries().getItem());
        assertEquals(List.of(), answer.getCodes().getItem());
        assertEquals(List.of(), answer.getWords().getItem());
    }

    @Test
    void tensor_comesBackWithItsShape() throws Exception {
        Double[] values = {1.0, Double.NaN, -3.5, Double.NEGATIVE_INFINITY, 5.0, 6.0};
        instance.setGrid(KindsCall.grid(values));

        Tensor grid = predict().getGrid();

        assertEquals(DType.FLOAT_32, grid.getDtype());
        assertEquals(List.of(2L, 3L), grid.getShape().getItem());
        assertEquals(List.of(values), grid.getDoubles().getItem());
        assertNull(grid.getContent());
        assertNull(grid.getLongs());
    }

    @Test
    void tensor_ofAnotherDtype_namesTheField() {
        instance.getGrid().setDtype(DType.FLOAT_64);

        InvalidInput fault = invalid();

        assertEquals("grid", fault.getField());
        assertEquals("wrong-dtype", fault.getCode());
    }

    @Test
    void image_arrivesAsItsPixels() throws Exception {
        Tensor pixels = predict().getPixels();

        assertEquals(DType.UINT_8, pixels.getDtype());
        assertEquals(List.of(2L, 2L, 3L), pixels.getShape().getItem());
        assertArrayEquals(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, pixels.getContent());
    }

    private Prediction predict() throws Exception {
        return KindsCall.predict(kinds, instance);
    }

    private InvalidInput invalid() {
        return assertThrows(InvalidInput_Exception.class, this::predict).getFaultInfo();
    }

    private static Map<String, Double> scores(Prediction answer) {
        return answer.getScores().getItem().stream()
                .collect(Collectors.toMap(ScoredLabel::getLabel, ScoredLabel::getScore));
    }
}
