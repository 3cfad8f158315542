package org.soapsvc.client;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.soapsvc.client.inference.ArrayOfDouble;
import org.soapsvc.client.inference.ArrayOfLong;
import org.soapsvc.client.inference.ArrayOfNamedTensor;
import org.soapsvc.client.inference.ArrayOfString;
import org.soapsvc.client.inference.DType;
import org.soapsvc.client.inference.InferenceResult;
import org.soapsvc.client.inference.NamedTensor;
import org.soapsvc.client.inference.Tensor;

/** Tensors of the generic service. shape: the size of each dimension; values stand in row-major order. */
final class Tensors {

    private Tensors() {
    }

    static Tensor doubles(DType dtype, List<Long> shape, Double... values) {
        Tensor tensor = empty(dtype, shape);
        tensor.setDoubles(new ArrayOfDouble());
        tensor.getDoubles().getItem().addAll(List.of(values));
        return tensor;
    }

    static Tensor longs(DType dtype, List<Long> shape, Long... values) {
        Tensor tensor = empty(dtype, shape);
        tensor.setLongs(new ArrayOfLong());
        tensor.getLongs().getItem().addAll(List.of(values));
        return tensor;
    }

    static Tensor strings(List<Long> shape, String... values) {
        Tensor tensor = empty(DType.STRING, shape);
        tensor.setStrings(new ArrayOfString());
        tensor.getStrings().getItem().addAll(List.of(values));
        return tensor;
    }

    /** Returns float32 values as little-endian bytes. */
    static Tensor content(List<Long> shape, Double... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (Double value : values) {
            bytes.putFloat(value.floatValue());
        }
        Tensor tensor = empty(DType.FLOAT_32, shape);
        tensor.setContent(bytes.array());
        return tensor;
    }

    static ArrayOfNamedTensor named(Map<String, Tensor> tensors) {
        ArrayOfNamedTensor array = new ArrayOfNamedTensor();
        tensors.forEach((name, tensor) -> {
            NamedTensor named = new NamedTensor();
            named.setName(name);
            named.setTensor(tensor);
            array.getItem().add(named);
        });
        return array;
    }

    static Tensor output(InferenceResult result, String name) {
        return result.getOutputs().getItem().stream()
                .filter(one -> one.getName().equals(name))
                .findFirst()
                .orElseThrow()
                .getTensor();
    }

    /** Returns the inputs of one instance of the test model kinds (see tests/kinds.py), to be changed by a test. */
    static Map<String, Tensor> kinds() {
        Map<String, Tensor> inputs = new HashMap<>();
        inputs.put("flag", longs(DType.BOOL, List.of(1L), 1L));
        inputs.put("count", longs(DType.INT_32, List.of(1L), -3L));
        inputs.put("total", longs(DType.INT_64, List.of(1L), 1L << 40));
        inputs.put("level", longs(DType.UINT_8, List.of(1L), 200L));
        inputs.put("ratio", doubles(DType.FLOAT_64, List.of(1L), 0.1));
        inputs.put("note", strings(List.of(1L), "你好 & <ü>"));
        inputs.put("pair", doubles(DType.FLOAT_64, List.of(1L, 2L), 0.25, 0.75));
        inputs.put("series", doubles(DType.FLOAT_32, List.of(1L, 3L), 1.5, 2.5, 3.5));
        inputs.put("codes", longs(DType.INT_64, List.of(1L, 2L), 7L, 8L));
        inputs.put("words", strings(List.of(1L, 0L)));
        inputs.put("grid", doubles(DType.FLOAT_32, List.of(1L, 2L, 3L), 1.0, 2.0, 3.0, 4.0, 5.0, 6.0));
        Long[] pixels = Collections.nCopies(12, 9L).toArray(Long[]::new);
        inputs.put("picture", longs(DType.UINT_8, List.of(1L, 2L, 2L, 3L), pixels));
        return inputs;
    }

    private static Tensor empty(DType dtype, List<Long> shape) {
        Tensor tensor = new Tensor();
        tensor.setDtype(dtype);
        tensor.setShape(new ArrayOfLong());
        tensor.getShape().getItem().addAll(shape);
        return tensor;
    }
}
