import jakarta.jws.WebParam;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.WebServiceFeature;
import jakarta.xml.ws.soap.AddressingFeature;
import jakarta.xml.ws.soap.MTOMFeature;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import stubs.chat.Answer;
import stubs.chat.Chat;
import stubs.chat.ChatService;
import stubs.chat.SessionState;
import stubs.digitreader.DigitReader;
import stubs.digitreader.DigitReaderService;
import stubs.digitreader.FoundDigit;
import stubs.inference.Inference;
import stubs.inference.InferenceService;
import stubs.inference.ModelNotFound;
import stubs.inference.ModelNotFound_Exception;
import stubs.inference.AuthenticationFailed_Exception;
import stubs.inference.DeadlineExceeded_Exception;
import stubs.inference.Overloaded_Exception;
import stubs.inference.Unavailable_Exception;
import stubs.kinds.ArrayOfDouble;
import stubs.kinds.ArrayOfInstance;
import stubs.kinds.ArrayOfLong;
import stubs.kinds.ArrayOfString;
import stubs.kinds.DType;
import stubs.kinds.Instance;
import stubs.kinds.InvalidInput;
import stubs.kinds.InvalidInput_Exception;
import stubs.kinds.Kinds;
import stubs.kinds.KindsService;
import stubs.kinds.Prediction;
import stubs.kinds.ScoredLabel;
import stubs.kinds.Tensor;

/** Tries each feature with JAX-WS stubs: `Stubs URL PICTURE SCENE`. Jakarta or javax, by what the packages are renamed to. */
public final class Stubs {

    private final String url;
    private final byte[] picture;
    private final byte[] scene;

    private Stubs(String url, byte[] picture, byte[] scene) {
        this.url = url;
        this.picture = picture;
        this.scene = scene;
    }

    public static void main(String[] arguments) throws Exception {
        new Stubs(arguments[0], Files.readAllBytes(Path.of(arguments[1])), Files.readAllBytes(Path.of(arguments[2])))
                .all();
        System.exit(0);
    }

    private void all() {
        Say.feature("natural", this::natural);
        Say.feature("scalars", () -> scalars(kinds("scalars")));
        Say.feature("optional", this::optional);
        Say.feature("arrays", this::arrays);
        Say.feature("tensor", this::tensor);
        Say.feature("image", this::image);
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
        Say.feature("mtom-in", this::mtomIn);
        Say.feature("mtom-100", () -> mtomOut("mtom-100", 100));
        Say.feature("mtom-100k", () -> mtomOut("mtom-100k", 100_000));
        Say.feature("mtom-20m", () -> mtomOut("mtom-20m", 20_000_000));
        Say.feature("gzip-in", this::gzipIn);
        Say.feature("gzip-out", this::gzipOut);
        Say.feature("addressing", this::addressing);
        Say.feature("threads", this::threads);
    }

    private <P> P at(P port, String feature, String path) {
        ((BindingProvider) port)
                .getRequestContext()
                .put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, url + "/" + feature + path);
        return port;
    }

    private static final KindsService KINDS = new KindsService();
    private static final InferenceService INFERENCE = new InferenceService();

    private Kinds kinds(String feature, WebServiceFeature... features) {
        return at(KINDS.getKindsPort(features), feature, "/soap/kinds/v1");
    }

    private Inference inference(String feature, WebServiceFeature... features) {
        return at(INFERENCE.getInferencePort(features), feature, "/soap/inference/v1");
    }

    private void natural() throws Exception {
        Method predict = Kinds.class.getMethod(
                "predict", boolean.class, int.class, long.class, int.class, double.class, Double.class, String.class,
                double.class, double.class, ArrayOfDouble.class, ArrayOfLong.class, ArrayOfString.class, Tensor.class,
                byte[].class);
        List<String> names = Stream.of(predict.getParameters())
                .map(one -> one.getAnnotation(WebParam.class).name())
                .collect(Collectors.toList());
        Say.check(
                names,
                Arrays.asList("flag", "count", "total", "level", "ratio", "offset", "note", "left", "right", "series",
                        "codes", "words", "grid", "picture"));
        Say.check(predict.getReturnType(), Prediction.class);
        try (Stream<Path> sources = Files.walk(Path.of("source"))) {
            for (Path source : sources.filter(Files::isRegularFile).collect(Collectors.toList())) {
                if (source.toString().contains("stubs") && Files.readString(source).contains("JAXBElement")) {
                    throw new AssertionError("JAXBElement in " + source);
                }
            }
        }
    }

    private Instance instance() {
        Instance one = new Instance();
        one.setFlag(true);
        one.setCount(Integer.MIN_VALUE);
        one.setTotal(Long.MAX_VALUE);
        one.setLevel(200);
        one.setRatio(0.1);
        one.setNote("note");
        one.setLeft(0.25);
        one.setRight(0.75);
        one.setSeries(doubles(1.5, 2.5));
        one.setCodes(longs(7, 8));
        one.setWords(strings("one", "", "x & y"));
        Tensor grid = new Tensor();
        grid.setDtype(DType.FLOAT_32);
        grid.setShape(longs(2, 3));
        grid.setDoubles(doubles(1, 2, 3, 4, 5, 6));
        one.setGrid(grid);
        one.setPicture(picture);
        return one;
    }

    private static Prediction predict(Kinds kinds, Instance one) throws Exception {
        return kinds.predict(
                one.isFlag(), one.getCount(), one.getTotal(), one.getLevel(), one.getRatio(), one.getOffset(),
                one.getNote(), one.getLeft(), one.getRight(), one.getSeries(), one.getCodes(), one.getWords(),
                one.getGrid(), one.getPicture());
    }

    private static ArrayOfDouble doubles(double... values) {
        ArrayOfDouble array = new ArrayOfDouble();
        Arrays.stream(values).forEach(array.getItem()::add);
        return array;
    }

    private static ArrayOfLong longs(long... values) {
        ArrayOfLong array = new ArrayOfLong();
        Arrays.stream(values).forEach(array.getItem()::add);
        return array;
    }

    private static ArrayOfString strings(String... values) {
        ArrayOfString array = new ArrayOfString();
        array.getItem().addAll(Arrays.asList(values));
        return array;
    }

    private void scalars(Kinds kinds) throws Exception {
        Prediction answer = predict(kinds, instance());
        Say.check(
                Arrays.asList(answer.isFlag(), answer.getCount(), answer.getTotal(), answer.getLevel(), answer.getRatio()),
                Arrays.asList(true, Integer.MIN_VALUE, Long.MAX_VALUE, 200, 0.1));
    }

    private void optional() throws Exception {
        Instance one = instance();
        Say.check(predict(kinds("optional"), one).getShifted(), 0.0);
        one.setOffset(0.5);
        Say.check(predict(kinds("optional"), one).getShifted(), 1.0);
    }

    private void arrays() throws Exception {
        Instance one = instance();
        Prediction answer = predict(kinds("arrays"), one);
        Say.check(answer.getSeries().getItem(), one.getSeries().getItem());
        Say.check(answer.getCodes().getItem(), one.getCodes().getItem());
        Say.check(answer.getWords().getItem(), one.getWords().getItem());
        one.setWords(strings());
        Say.check(predict(kinds("arrays"), one).getWords().getItem(), Arrays.asList());
    }

    private void tensor() throws Exception {
        Tensor sent = instance().getGrid();
        Tensor grid = predict(kinds("tensor"), instance()).getGrid();
        Say.check(grid.getDtype(), sent.getDtype());
        Say.check(grid.getShape().getItem(), sent.getShape().getItem());
        Say.check(grid.getDoubles().getItem(), sent.getDoubles().getItem());
    }

    private static final byte[] PIXELS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

    private void image() throws Exception {
        Say.check(Arrays.equals(predict(kinds("image"), instance()).getPixels().getContent(), PIXELS), true);
    }

    private void text(String feature, String text) throws Exception {
        Instance one = instance();
        one.setNote(text);
        Say.check(predict(kinds(feature), one).getNote(), text);
    }

    private void nan() throws Exception {
        Instance one = instance();
        one.setLeft(Double.NaN);
        one.setRight(Double.NEGATIVE_INFINITY);
        one.setSeries(doubles(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY));
        Prediction answer = predict(kinds("nan"), one);
        Map<String, Double> scores = answer.getScores().getItem().stream()
                .collect(Collectors.toMap(ScoredLabel::getLabel, ScoredLabel::getScore));
        Say.check(scores, Map.of("left", Double.NaN, "right", Double.NEGATIVE_INFINITY));
        Say.check(answer.getSeries().getItem(), one.getSeries().getItem());
    }

    private void batch() throws Exception {
        Instance second = instance();
        second.setOffset(2.0);
        ArrayOfInstance batch = new ArrayOfInstance();
        batch.getItem().addAll(Arrays.asList(instance(), second));
        List<Double> shifted = kinds("batch").predictBatch(batch).getItem().stream()
                .map(Prediction::getShifted)
                .collect(Collectors.toList());
        Say.check(shifted, Arrays.asList(0.0, 4.0));
    }

    private void records() throws Exception {
        DigitReader reader = at(new DigitReaderService().getDigitReaderPort(), "records", "/soap/digit-reader/v1");
        stubs.digitreader.Prediction answer = reader.predict(scene);
        List<FoundDigit> digits = answer.getDigits().getItem();
        Say.check(answer.getText(), "173");
        Say.check(digits.stream().map(Stubs::label).collect(Collectors.joining()), "173");
        Say.check(Math.round(digits.get(0).getBox().getX()), 86L);
        Say.check(reader.predict(picture).getDigits().getItem(), Arrays.asList());
    }

    private static String label(FoundDigit found) {
        return found.getDigit().getItem().get(0).getLabel();
    }

    private void conversation() throws Exception {
        Chat chat = at(new ChatService().getChatPort(), "conversation", "/soap/chat/v1");
        Answer first = chat.reply(null, "My name is Ada");
        Answer second = chat.reply(first.getSessionId(), "What is my name?");
        Say.check(
                Arrays.asList(first.getSessionState(), second.getSessionState()),
                Arrays.asList(SessionState.STARTED, SessionState.CONTINUED));
        Say.check(second.getSentence(), "Your name is Ada.");
    }

    private void invalidInput(Kinds kinds) throws Exception {
        Instance one = instance();
        one.setLevel(256);
        try {
            predict(kinds, one);
        } catch (InvalidInput_Exception e) {
            InvalidInput fault = e.getFaultInfo();
            Say.check(
                    Arrays.asList(fault.getCode(), fault.getField(), fault.getReceived()),
                    Arrays.asList("out-of-range", "level", "256"));
            Say.check(fault.getExpected().isEmpty() || fault.getRequestId().isEmpty(), false);
            return;
        }
        throw new AssertionError("no fault");
    }

    private void modelNotFound() throws Exception {
        try {
            inference("model-not-found").getModel("nothing", null, null, null);
        } catch (ModelNotFound_Exception e) {
            ModelNotFound fault = e.getFaultInfo();
            Say.check(fault.getCode(), "unknown-model");
            Say.check(fault.getMessage().isEmpty(), false);
            return;
        }
        throw new AssertionError("no fault");
    }

    private void otherFaults() throws Exception {
        for (String model : Arrays.asList("full", "late", "gone", "locked")) {
            try {
                inference("other-faults").getModel(model, null, null, null);
                throw new AssertionError("no fault");
            } catch (Overloaded_Exception e) {
                Say.check(model + e.getFaultInfo().getRetryAfterSeconds(), "full2");
            } catch (DeadlineExceeded_Exception e) {
                Say.check(model + e.getFaultInfo().getDeadlineSeconds(), "late1.5");
            } catch (Unavailable_Exception e) {
                Say.check(model + e.getFaultInfo().getRetryAfterSeconds(), "gone2");
            } catch (AuthenticationFailed_Exception e) {
                Say.check(model + e.getFaultInfo().getCode(), "lockedauthentication-failed");
            }
        }
    }

    private void soap12() throws Exception {
        stubs.kinds12.Kinds kinds =
                at(new stubs.kinds12.KindsService().getKindsSoap12Port(), "soap12", "/soap12/kinds/v1");
        stubs.kinds12.ArrayOfDouble series = new stubs.kinds12.ArrayOfDouble();
        series.getItem().add(1.5);
        stubs.kinds12.ArrayOfLong codes = new stubs.kinds12.ArrayOfLong();
        codes.getItem().addAll(Arrays.asList(2L, 3L));
        stubs.kinds12.Tensor grid = new stubs.kinds12.Tensor();
        grid.setDtype(stubs.kinds12.DType.FLOAT_32);
        grid.setShape(codes);
        grid.setDoubles(new stubs.kinds12.ArrayOfDouble());
        grid.getDoubles().getItem().addAll(Arrays.asList(1.0, 2.0, 3.0, 4.0, 5.0, 6.0));
        stubs.kinds12.ArrayOfString words = new stubs.kinds12.ArrayOfString();
        Say.check(
                kinds.predict(true, -3, 1L << 40, 200, 0.1, null, "x", 0, 1, series, codes, words, grid, picture)
                        .getTotal(),
                1L << 40);
        try {
            kinds.predict(true, -3, 1L << 40, 256, 0.1, null, "x", 0, 1, series, codes, words, grid, picture);
        } catch (stubs.kinds12.InvalidInput_Exception e) {
            Say.check(e.getFaultInfo().getField(), "level");
            return;
        }
        throw new AssertionError("no fault");
    }

    private void mtomIn() throws Exception {
        Prediction answer = predict(kinds("mtom-in", new MTOMFeature()), instance());
        Say.check(Arrays.equals(answer.getPixels().getContent(), PIXELS), true);
        invalidInput(kinds("mtom-in", new MTOMFeature()));
    }

    private void mtomOut(String feature, int size) throws Exception {
        byte[] content = new byte[size];
        new java.util.Random(size).nextBytes(content);
        stubs.inference.Tensor answer = echo(inference(feature, new MTOMFeature()), bytes(content));
        Say.check(Arrays.equals(answer.getContent(), content), true);
    }

    private static stubs.inference.Tensor bytes(byte[] content) {
        stubs.inference.Tensor tensor = shaped(content.length);
        tensor.setContent(content);
        return tensor;
    }

    private static stubs.inference.Tensor shaped(long size) {
        stubs.inference.Tensor tensor = new stubs.inference.Tensor();
        tensor.setDtype(stubs.inference.DType.UINT_8);
        tensor.setShape(new stubs.inference.ArrayOfLong());
        tensor.getShape().getItem().addAll(Arrays.asList(1L, size));
        return tensor;
    }

    private static stubs.inference.Tensor echo(Inference inference, stubs.inference.Tensor tensor) throws Exception {
        stubs.inference.NamedTensor named = new stubs.inference.NamedTensor();
        named.setName("x");
        named.setTensor(tensor);
        stubs.inference.ArrayOfNamedTensor inputs = new stubs.inference.ArrayOfNamedTensor();
        inputs.getItem().add(named);
        return inference.predict("echo", null, null, null, inputs, null).getOutputs().getItem().get(0).getTensor();
    }

    private void gzipIn() throws Exception {
        Kinds kinds = kinds("gzip-in");
        Gzip.compressRequests(kinds);
        scalars(kinds);
    }

    private void gzipOut() throws Exception {
        Inference inference = inference("gzip-out");
        Gzip.acceptCompressed(inference);
        stubs.inference.Tensor numbers = shaped(3000);
        numbers.setLongs(new stubs.inference.ArrayOfLong());
        for (long value = 0; value < 3000; value++) {
            numbers.getLongs().getItem().add(value % 256);
        }
        Say.check(echo(inference, numbers).getLongs().getItem(), numbers.getLongs().getItem());
    }

    private void addressing() throws Exception {
        scalars(kinds("addressing", new AddressingFeature(true, true)));
        invalidInput(kinds("addressing", new AddressingFeature(true, true)));
        scalars(kinds("addressing", new AddressingFeature(true, true), new MTOMFeature()));
    }

    private void threads() throws Exception {
        Say.inThreads(() -> {
            Kinds kinds = kinds("threads");
            return total -> {
                Instance one = instance();
                one.setTotal(total);
                return predict(kinds, one).getTotal();
            };
        });
    }
}
