import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.axiom.soap.SOAP12Constants;
import org.apache.axis2.Constants;
import org.apache.axis2.client.Options;
import org.apache.axis2.client.Stub;
import org.apache.axis2.context.ConfigurationContext;
import org.apache.axis2.context.ConfigurationContextFactory;
import org.apache.axis2.kernel.http.HTTPConstants;
import stubs.chat.Answer;
import stubs.chat.ChatServiceStub;
import stubs.chat.Reply;
import stubs.digitreader.DigitReaderServiceStub;
import stubs.digitreader.FoundDigit;
import stubs.inference.InferenceServiceStub;
import stubs.kinds.ArrayOfDouble;
import stubs.kinds.ArrayOfLong;
import stubs.kinds.ArrayOfString;
import stubs.kinds.Instance;
import stubs.kinds.InvalidInput;
import stubs.kinds.InvalidInputException;
import stubs.kinds.KindsServiceStub;
import stubs.kinds.Predict;
import stubs.kinds.PredictBatch;
import stubs.kinds.Prediction;
import stubs.kinds.ScoredLabel;
import stubs.kinds.Tensor;

/** Tries each feature with Axis2's stubs, of either data binding: `Axis URL PICTURE SCENE`. */
public final class Axis {

    private static final byte[] PIXELS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

    private final String url;
    private final byte[] picture;
    private final byte[] scene;

    private Axis(String url, byte[] picture, byte[] scene) {
        this.url = url;
        this.picture = picture;
        this.scene = scene;
    }

    public static void main(String[] arguments) throws Exception {
        new Axis(arguments[0], Files.readAllBytes(Path.of(arguments[1])), Files.readAllBytes(Path.of(arguments[2])))
                .all();
        System.exit(0);
    }

    private void all() {
        Say.feature("natural", "one request object", this::natural);
        Say.feature("scalars", () -> scalars(kinds("scalars")));
        Say.feature("optional", Types.ABSENT, this::optional);
        Say.feature("arrays", this::arrays);
        Say.feature("tensor", this::tensor);
        Say.feature("image", () -> image(kinds("image")));
        Say.feature("text", () -> text("text", " <b> & \"x\" ]]> "));
        Say.feature("utf8", () -> text("utf8", "你好 ü 😀"));
        Say.feature("nan", this::nan);
        Say.feature("batch", this::batch);
        Say.feature("records", this::records);
        Say.feature("conversation", this::conversation);
        Say.feature("invalid-input", () -> invalidInput(kinds("invalid-input")));
        Say.feature("model-not-found", this::modelNotFound);
        Say.feature("other-faults", this::otherFaults);
        Say.feature("soap12", this::soap12);
        Say.feature("mtom-in", "the option enableMTOM", this::mtomIn);
        Say.feature("mtom-100", () -> mtomOut("mtom-100", 100));
        Say.feature("mtom-100k", () -> mtomOut("mtom-100k", 100_000));
        Say.feature("mtom-20m", () -> mtomOut("mtom-20m", 20_000_000));
        Say.feature("gzip-in", "the option MC_GZIP_REQUEST", this::gzipIn);
        Say.feature("gzip-out", "the option MC_ACCEPT_GZIP", this::gzipOut);
        Say.feature("addressing", "the module addressing", this::addressing);
        Say.feature("threads", this::threads);
    }

    private KindsServiceStub kinds(String feature) throws Exception {
        return new KindsServiceStub(url + "/" + feature + "/soap/kinds/v1");
    }

    private InferenceServiceStub inference(String feature) throws Exception {
        return new InferenceServiceStub(url + "/" + feature + "/soap/inference/v1");
    }

    private static Options options(Stub stub) {
        return stub._getServiceClient().getOptions();
    }

    private void natural() {
        Map<String, Class<?>> wanted = Map.ofEntries(
                Map.entry("setFlag", boolean.class), Map.entry("setCount", int.class), Map.entry("setTotal", long.class),
                Map.entry("setLevel", int.class), Map.entry("setRatio", double.class),
                Map.entry("setOffset", Types.OPTIONAL), Map.entry("setNote", String.class),
                Map.entry("setLeft", double.class), Map.entry("setRight", double.class),
                Map.entry("setSeries", ArrayOfDouble.class), Map.entry("setCodes", ArrayOfLong.class),
                Map.entry("setWords", ArrayOfString.class), Map.entry("setGrid", Tensor.class),
                Map.entry("setPicture", Types.BYTES));
        Map<String, Class<?>> setters = Stream.of(Predict.class.getMethods())
                .filter(method -> method.getName().startsWith("set"))
                .collect(Collectors.toMap(method -> method.getName(), method -> method.getParameterTypes()[0]));
        Say.check(setters, wanted);
    }

    private Predict request() {
        Predict one = new Predict();
        one.setFlag(true);
        one.setCount(-3);
        one.setTotal(Long.MAX_VALUE);
        one.setLevel(200);
        one.setRatio(0.1);
        Types.offset(one, null);
        one.setNote("note");
        one.setLeft(0.25);
        one.setRight(0.75);
        one.setSeries(Types.doubles(1.5, 2.5));
        one.setCodes(Types.longs(7, 8));
        one.setWords(Types.strings("one", "", "x & y"));
        Tensor grid = new Tensor();
        grid.setDtype(Types.FLOAT32);
        grid.setShape(Types.longs(2, 3));
        grid.setDoubles(Types.doubles(1, 2, 3, 4, 5, 6));
        one.setGrid(grid);
        one.setPicture(Types.bytes(picture));
        return one;
    }

    private static Prediction predict(KindsServiceStub kinds, Predict request) throws Exception {
        return kinds.predict(request).getPredictResult();
    }

    private void scalars(KindsServiceStub kinds) throws Exception {
        Prediction answer = predict(kinds, request());
        Say.check(
                Arrays.asList(
                        Types.flag(answer), answer.getCount(), answer.getTotal(), answer.getLevel(), answer.getRatio()),
                Arrays.asList(true, -3, Long.MAX_VALUE, 200, 0.1));
    }

    private void optional() throws Exception {
        Predict one = request();
        Say.check(predict(kinds("optional"), one).getShifted(), 0.0);
        Types.offset(one, 0.5);
        Say.check(predict(kinds("optional"), one).getShifted(), 1.0);
    }

    private void arrays() throws Exception {
        Predict one = request();
        Prediction answer = predict(kinds("arrays"), one);
        Say.check(Types.list(answer.getSeries()), Types.list(one.getSeries()));
        Say.check(Types.list(answer.getCodes()), Types.list(one.getCodes()));
        Say.check(Types.list(answer.getWords()), Types.list(one.getWords()));
        one.setWords(Types.strings());
        Say.check(Types.list(predict(kinds("arrays"), one).getWords()), List.of());
    }

    private void tensor() throws Exception {
        Tensor grid = predict(kinds("tensor"), request()).getGrid();
        Say.check(grid.getDtype().toString(), Types.FLOAT32.toString());
        Say.check(Types.list(grid.getShape()), List.of(2L, 3L));
        Say.check(Types.list(grid.getDoubles()), List.of(1.0, 2.0, 3.0, 4.0, 5.0, 6.0));
    }

    private void image(KindsServiceStub kinds) throws Exception {
        byte[] pixels = Types.content(predict(kinds, request()).getPixels().getContent());
        Say.check(Arrays.equals(pixels, PIXELS), true);
    }

    private void text(String feature, String text) throws Exception {
        Predict one = request();
        one.setNote(text);
        Say.check(predict(kinds(feature), one).getNote(), text);
    }

    private void nan() throws Exception {
        Predict one = request();
        one.setLeft(Double.NaN);
        one.setRight(Double.NEGATIVE_INFINITY);
        one.setSeries(Types.doubles(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY));
        Prediction answer = predict(kinds("nan"), one);
        Map<String, Double> scores = Types.scores(answer).stream()
                .collect(Collectors.toMap(ScoredLabel::getLabel, ScoredLabel::getScore));
        Say.check(scores, Map.of("left", Double.NaN, "right", Double.NEGATIVE_INFINITY));
        Say.check(Types.list(answer.getSeries()), Types.list(one.getSeries()));
    }

    private void batch() throws Exception {
        PredictBatch request = new PredictBatch();
        request.setInstances(Types.batch(instance(null), instance(2.0)));
        List<Double> shifted = Types.list(kinds("batch").predictBatch(request).getPredictBatchResult()).stream()
                .map(Prediction::getShifted)
                .collect(Collectors.toList());
        Say.check(shifted, Arrays.asList(0.0, 4.0));
    }

    private void records() throws Exception {
        stubs.digitreader.Prediction answer = read(scene);
        List<FoundDigit> digits = Types.list(answer.getDigits());
        Say.check(answer.getText(), "173");
        Say.check(digits.stream().map(Types::label).collect(Collectors.joining()), "173");
        Say.check(Math.round(digits.get(0).getBox().getX()), 86L);
        Say.check(Types.list(read(picture).getDigits()), List.of());
    }

    private stubs.digitreader.Prediction read(byte[] image) throws Exception {
        stubs.digitreader.Predict request = new stubs.digitreader.Predict();
        request.setImage(Types.bytes(image));
        return new DigitReaderServiceStub(url + "/records/soap/digit-reader/v1").predict(request).getPredictResult();
    }

    private void conversation() throws Exception {
        Answer first = reply(null, "My name is Ada");
        Answer second = reply(first.getSessionId(), "What is my name?");
        Say.check(Types.state(first) + " " + Types.state(second), "started continued");
        Say.check(second.getSentence(), "Your name is Ada.");
    }

    private Answer reply(String session, String question) throws Exception {
        Reply request = new Reply();
        request.setSessionId(session);
        request.setQuestion(question);
        return new ChatServiceStub(url + "/conversation/soap/chat/v1").reply(request).getReplyResult();
    }

    private Instance instance(Double offset) {
        Predict from = request();
        Instance one = new Instance();
        one.setFlag(true);
        one.setCount(from.getCount());
        one.setTotal(from.getTotal());
        one.setLevel(from.getLevel());
        one.setRatio(from.getRatio());
        Types.offset(one, offset);
        one.setNote(from.getNote());
        one.setLeft(from.getLeft());
        one.setRight(from.getRight());
        one.setSeries(from.getSeries());
        one.setCodes(from.getCodes());
        one.setWords(from.getWords());
        one.setGrid(from.getGrid());
        one.setPicture(from.getPicture());
        return one;
    }

    private void invalidInput(KindsServiceStub kinds) throws Exception {
        Predict one = request();
        one.setLevel(256);
        try {
            predict(kinds, one);
        } catch (InvalidInputException e) {
            InvalidInput fault = e.getFaultMessage();
            Say.check(
                    Arrays.asList(fault.getCode(), fault.getField(), fault.getReceived()),
                    Arrays.asList("out-of-range", "level", "256"));
            Say.check(fault.getExpected().isEmpty() || fault.getRequestId().isEmpty(), false);
            return;
        }
        throw new AssertionError("no fault");
    }

    private void modelNotFound() throws Exception {
        stubs.inference.GetModel request = new stubs.inference.GetModel();
        request.setModelName("nothing");
        Types.noVersion(request);
        try {
            inference("model-not-found").getModel(request);
        } catch (stubs.inference.ModelNotFoundException e) {
            Say.check(e.getFaultMessage().getCode(), "unknown-model");
            return;
        }
        throw new AssertionError("no fault");
    }

    private void otherFaults() throws Exception {
        for (String model : Arrays.asList("full", "late", "gone", "locked")) {
            stubs.inference.GetModel request = new stubs.inference.GetModel();
            request.setModelName(model);
            Types.noVersion(request);
            try {
                inference("other-faults").getModel(request);
                throw new AssertionError("no fault");
            } catch (stubs.inference.OverloadedException e) {
                Say.check(model + e.getFaultMessage().getRetryAfterSeconds(), "full2");
            } catch (stubs.inference.DeadlineExceededException e) {
                Say.check(model + e.getFaultMessage().getDeadlineSeconds(), "late1.5");
            } catch (stubs.inference.UnavailableException e) {
                Say.check(model + e.getFaultMessage().getRetryAfterSeconds(), "gone2");
            } catch (stubs.inference.AuthenticationFailedException e) {
                Say.check(model + e.getFaultMessage().getCode(), "lockedauthentication-failed");
            }
        }
    }

    private void soap12() throws Exception {
        KindsServiceStub kinds = new KindsServiceStub(url + "/soap12/soap12/kinds/v1");
        options(kinds).setSoapVersionURI(SOAP12Constants.SOAP_ENVELOPE_NAMESPACE_URI);
        scalars(kinds);
        invalidInput(kinds);
    }

    private void mtomIn() throws Exception {
        KindsServiceStub kinds = kinds("mtom-in");
        options(kinds).setProperty(Constants.Configuration.ENABLE_MTOM, Constants.VALUE_TRUE);
        image(kinds);
    }

    private static stubs.inference.Tensor echo(InferenceServiceStub inference, stubs.inference.Tensor tensor)
            throws Exception {
        stubs.inference.NamedTensor named = new stubs.inference.NamedTensor();
        named.setName("x");
        named.setTensor(tensor);
        stubs.inference.Predict request = new stubs.inference.Predict();
        request.setModelName("echo");
        Types.noVersion(request);
        request.setInputs(Types.inputs(named));
        return Types.first(inference.predict(request).getPredictResult());
    }

    private void mtomOut(String feature, int size) throws Exception {
        byte[] content = new byte[size];
        new Random(size).nextBytes(content);
        stubs.inference.Tensor tensor = Types.tensor(size, null);
        tensor.setContent(Types.bytes(content));
        InferenceServiceStub inference = inference(feature);
        options(inference).setProperty(Constants.Configuration.ENABLE_MTOM, Constants.VALUE_TRUE);
        options(inference).setTimeOutInMilliSeconds(30_000);
        Say.check(Arrays.equals(Types.content(echo(inference, tensor).getContent()), content), true);
    }

    private void gzipIn() throws Exception {
        KindsServiceStub kinds = kinds("gzip-in");
        options(kinds).setProperty(HTTPConstants.MC_GZIP_REQUEST, Boolean.TRUE);
        options(kinds).setTimeOutInMilliSeconds(10_000);
        scalars(kinds);
    }

    private void gzipOut() throws Exception {
        InferenceServiceStub inference = inference("gzip-out");
        options(inference).setProperty(HTTPConstants.MC_ACCEPT_GZIP, Boolean.TRUE);
        long[] values = LongStream.range(0, 3000).map(value -> value % 256).toArray();
        Say.check(Arrays.equals(Types.longs(echo(inference, Types.tensor(3000, values))), values), true);
    }

    private void addressing() throws Exception {
        KindsServiceStub kinds = kinds("addressing");
        kinds._getServiceClient().engageModule("addressing");
        scalars(kinds);
        invalidInput(kinds);
    }

    private void threads() throws Exception {
        ConfigurationContext shared = ConfigurationContextFactory.createDefaultConfigurationContext();
        Say.inThreads(() -> {
            KindsServiceStub kinds = new KindsServiceStub(shared, url + "/threads/soap/kinds/v1");
            return total -> {
                Predict one = request();
                one.setTotal(total);
                long answer = predict(kinds, one).getTotal();
                kinds._getServiceClient().cleanupTransport();
                return answer;
            };
        });
    }
}
