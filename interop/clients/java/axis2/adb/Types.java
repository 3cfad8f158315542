import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.activation.DataHandler;
import org.apache.axiom.attachments.ByteArrayDataSource;
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

/** What ADB's classes look like: arrays, DataHandler for bytes, NaN for a number that is absent. */
final class Types {

    static final DType FLOAT32 = DType.float32;
    static final Class<?> BYTES = DataHandler.class;
    static final Class<?> OPTIONAL = double.class;

    static final String ABSENT = "an absent number is Double.NaN";

    private Types() {
    }

    static void offset(Predict request, Double value) {
        request.setOffset(value == null ? Double.NaN : value);
    }

    static void offset(Instance instance, Double value) {
        instance.setOffset(value == null ? Double.NaN : value);
    }

    static boolean flag(Prediction answer) {
        return answer.getFlag();
    }

    static ArrayOfDouble doubles(double... values) {
        ArrayOfDouble array = new ArrayOfDouble();
        array.setItem(values);
        return array;
    }

    static ArrayOfLong longs(long... values) {
        ArrayOfLong array = new ArrayOfLong();
        array.setItem(values);
        return array;
    }

    static ArrayOfString strings(String... values) {
        ArrayOfString array = new ArrayOfString();
        if (values.length > 0) {
            array.setItem(values);
        }
        return array;
    }

    static List<Double> list(ArrayOfDouble array) {
        List<Double> list = new ArrayList<>();
        Arrays.stream(array.getItem()).forEach(list::add);
        return list;
    }

    static List<String> list(ArrayOfString array) {
        return array.getItem() == null ? List.of() : Arrays.asList(array.getItem());
    }

    static List<Long> list(ArrayOfLong array) {
        List<Long> list = new ArrayList<>();
        Arrays.stream(array.getItem()).forEach(list::add);
        return list;
    }

    static List<ScoredLabel> scores(Prediction answer) {
        return Arrays.asList(answer.getScores().getItem());
    }

    static ArrayOfInstance batch(Instance... instances) {
        ArrayOfInstance array = new ArrayOfInstance();
        array.setItem(instances);
        return array;
    }

    static List<Prediction> list(ArrayOfPrediction array) {
        return Arrays.asList(array.getItem());
    }

    static List<FoundDigit> list(ArrayOfFoundDigit array) {
        return array.getItem() == null ? List.of() : Arrays.asList(array.getItem());
    }

    static String label(FoundDigit found) {
        return found.getDigit().getItem()[0].getLabel();
    }

    static String state(Answer answer) {
        return answer.getSessionState().getValue();
    }

    static DataHandler bytes(byte[] content) {
        return new DataHandler(new ByteArrayDataSource(content, "application/octet-stream"));
    }

    static byte[] content(DataHandler content) throws IOException {
        return content.getInputStream().readAllBytes();
    }

    static stubs.inference.ArrayOfNamedTensor inputs(NamedTensor named) {
        stubs.inference.ArrayOfNamedTensor inputs = new stubs.inference.ArrayOfNamedTensor();
        inputs.setItem(new NamedTensor[] {named});
        return inputs;
    }

    static stubs.inference.Tensor first(stubs.inference.InferenceResult result) {
        return result.getOutputs().getItem()[0].getTensor();
    }

    static stubs.inference.Tensor tensor(long size, long[] values) {
        stubs.inference.Tensor tensor = new stubs.inference.Tensor();
        tensor.setDtype(stubs.inference.DType.uint8);
        tensor.setShape(array(1, size));
        if (values != null) {
            tensor.setLongs(array(values));
        }
        return tensor;
    }

    private static stubs.inference.ArrayOfLong array(long... values) {
        stubs.inference.ArrayOfLong array = new stubs.inference.ArrayOfLong();
        array.setItem(values);
        return array;
    }

    static long[] longs(stubs.inference.Tensor tensor) {
        return tensor.getLongs().getItem();
    }

    static void noVersion(stubs.inference.GetModel request) {
        request.setVersion(Long.MIN_VALUE);
    }

    static void noVersion(stubs.inference.Predict request) {
        request.setVersion(Long.MIN_VALUE);
    }
}
