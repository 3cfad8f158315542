import java.util.Arrays;
import java.util.List;
import stubs.chat.Answer;
import stubs.digitreader.ArrayOfFoundDigit;
import stubs.digitreader.FoundDigit;
import stubs.inference.NamedTensor;
import stubs.kinds.ArrayOfDouble;
import stubs.kinds.ArrayOfInstance;
import stubs.kinds.ArrayOfLong;
import stubs.kinds.ArrayOfPrediction;
import stubs.kinds.ArrayOfString;
import stubs.kinds.DType;
import stubs.kinds.Instance;
import stubs.kinds.Predict;
import stubs.kinds.Prediction;
import stubs.kinds.ScoredLabel;

/** What JAXB's classes look like: lists, byte arrays, null for a number that is absent. */
final class Types {

    static final DType FLOAT32 = DType.FLOAT_32;
    static final Class<?> BYTES = byte[].class;
    static final Class<?> OPTIONAL = Double.class;

    static final String ABSENT = "";

    private Types() {
    }

    static void offset(Predict request, Double value) {
        request.setOffset(value);
    }

    static void offset(Instance instance, Double value) {
        instance.setOffset(value);
    }

    static boolean flag(Prediction answer) {
        return answer.isFlag();
    }

    static ArrayOfDouble doubles(double... values) {
        ArrayOfDouble array = new ArrayOfDouble();
        Arrays.stream(values).forEach(array.getItem()::add);
        return array;
    }

    static ArrayOfLong longs(long... values) {
        ArrayOfLong array = new ArrayOfLong();
        Arrays.stream(values).forEach(array.getItem()::add);
        return array;
    }

    static ArrayOfString strings(String... values) {
        ArrayOfString array = new ArrayOfString();
        array.getItem().addAll(Arrays.asList(values));
        return array;
    }

    static List<Double> list(ArrayOfDouble array) {
        return array.getItem();
    }

    static List<String> list(ArrayOfString array) {
        return array.getItem();
    }

    static List<Long> list(ArrayOfLong array) {
        return array.getItem();
    }

    static List<ScoredLabel> scores(Prediction answer) {
        return answer.getScores().getItem();
    }

    static ArrayOfInstance batch(Instance... instances) {
        ArrayOfInstance array = new ArrayOfInstance();
        array.getItem().addAll(Arrays.asList(instances));
        return array;
    }

    static List<Prediction> list(ArrayOfPrediction array) {
        return array.getItem();
    }

    static List<FoundDigit> list(ArrayOfFoundDigit array) {
        return array.getItem();
    }

    static String label(FoundDigit found) {
        return found.getDigit().getItem().get(0).getLabel();
    }

    static String state(Answer answer) {
        return answer.getSessionState().value();
    }

    static byte[] bytes(byte[] content) {
        return content;
    }

    static byte[] content(byte[] content) {
        return content;
    }

    static stubs.inference.ArrayOfNamedTensor inputs(NamedTensor named) {
        stubs.inference.ArrayOfNamedTensor inputs = new stubs.inference.ArrayOfNamedTensor();
        inputs.getItem().add(named);
        return inputs;
    }

    static stubs.inference.Tensor first(stubs.inference.InferenceResult result) {
        return result.getOutputs().getItem().get(0).getTensor();
    }

    static stubs.inference.Tensor tensor(long size, long[] values) {
        stubs.inference.Tensor tensor = new stubs.inference.Tensor();
        tensor.setDtype(stubs.inference.DType.UINT_8);
        tensor.setShape(array(1, size));
        if (values != null) {
            tensor.setLongs(array(values));
        }
        return tensor;
    }

    private static stubs.inference.ArrayOfLong array(long... values) {
        stubs.inference.ArrayOfLong array = new stubs.inference.ArrayOfLong();
        Arrays.stream(values).forEach(array.getItem()::add);
        return array;
    }

    static long[] longs(stubs.inference.Tensor tensor) {
        return tensor.getLongs().getItem().stream().mapToLong(Long::longValue).toArray();
    }

    static void noVersion(stubs.inference.GetModel request) {
        request.setVersion(null);
    }

    static void noVersion(stubs.inference.Predict request) {
        request.setVersion(null);
    }
}
