import jakarta.xml.soap.MessageFactory;
import jakarta.xml.soap.SOAPConstants;
import java.lang.reflect.Method;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.oxm.jaxb.Jaxb2Marshaller;
import org.springframework.ws.client.core.WebServiceMessageCallback;
import org.springframework.ws.client.core.WebServiceTemplate;
import org.springframework.ws.soap.SoapFaultDetailElement;
import org.springframework.ws.soap.addressing.client.ActionCallback;
import org.springframework.ws.soap.client.SoapFaultClientException;
import org.springframework.ws.soap.client.core.SoapActionCallback;
import org.springframework.ws.soap.saaj.SaajSoapMessageFactory;
import stubs.chat.Answer;
import stubs.chat.Reply;
import stubs.chat.ReplyResponse;
import stubs.digitreader.FoundDigit;
import stubs.kinds.ArrayOfDouble;
import stubs.kinds.ArrayOfInstance;
import stubs.kinds.ArrayOfLong;
import stubs.kinds.ArrayOfString;
import stubs.kinds.DType;
import stubs.kinds.Instance;
import stubs.kinds.InvalidInput;
import stubs.kinds.Predict;
import stubs.kinds.PredictBatch;
import stubs.kinds.PredictBatchResponse;
import stubs.kinds.PredictResponse;
import stubs.kinds.Prediction;
import stubs.kinds.ScoredLabel;
import stubs.kinds.Tensor;

/** Tries each feature with Spring-WS's WebServiceTemplate and classes of xjc: `Spring URL PICTURE SCENE`. */
public final class Spring {

    private static final byte[] PIXELS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    private static final String ONE_CLASS = "one exception, SoapFaultClientException; its detail unmarshals as the class";
    private static final Jaxb2Marshaller PLAIN = marshaller(false);
    private static final Jaxb2Marshaller MTOM = marshaller(true);

    private final String url;
    private final byte[] picture;
    private final byte[] scene;

    private Spring(String url, byte[] picture, byte[] scene) {
        this.url = url;
        this.picture = picture;
        this.scene = scene;
    }

    public static void main(String[] arguments) throws Exception {
        new Spring(arguments[0], Files.readAllBytes(Path.of(arguments[1])), Files.readAllBytes(Path.of(arguments[2])))
                .all();
        System.exit(0);
    }

    private void all() {
        Say.feature("natural", "one request object", this::natural);
        Say.feature("scalars", () -> scalars("scalars", PLAIN, null));
        Say.feature("optional", this::optional);
        Say.feature("arrays", this::arrays);
        Say.feature("tensor", this::tensor);
        Say.feature("image", () -> image("image", PLAIN));
        Say.feature("text", () -> text("text", " <b> & \"x\" ]]> "));
        Say.feature("utf8", () -> text("utf8", "你好 ü 😀"));
        Say.feature("nan", this::nan);
        Say.feature("batch", this::batch);
        Say.feature("records", this::records);
        Say.feature("conversation", this::conversation);
        Say.feature("invalid-input", ONE_CLASS, () -> invalidInput(template("invalid-input", PLAIN), null));
        Say.feature("model-not-found", this::modelNotFound);
        Say.feature("other-faults", this::otherFaults);
        Say.feature("soap12", "SaajSoapMessageFactory of SOAP 1.2", this::soap12);
        Say.feature("mtom-in", "Jaxb2Marshaller.setMtomEnabled(true)", () -> image("mtom-in", MTOM));
        Say.feature("mtom-100", () -> mtomOut("mtom-100", 100));
        Say.feature("mtom-100k", () -> mtomOut("mtom-100k", 100_000));
        Say.feature("mtom-20m", () -> mtomOut("mtom-20m", 20_000_000));
        Say.feature("gzip-out", "by default", this::gzipOut);
        Say.feature("addressing", "ActionCallback", this::addressing);
        Say.feature("threads", this::threads);
    }

    private static Jaxb2Marshaller marshaller(boolean mtom) {
        Jaxb2Marshaller marshaller = new Jaxb2Marshaller();
        marshaller.setContextPaths("stubs.kinds", "stubs.inference", "stubs.digitreader", "stubs.chat");
        marshaller.setMtomEnabled(mtom);
        try {
            marshaller.afterPropertiesSet();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return marshaller;
    }

    private WebServiceTemplate template(String feature, Jaxb2Marshaller marshaller) {
        return template(feature, "/soap/kinds/v1", marshaller);
    }

    private WebServiceTemplate template(String feature, String path, Jaxb2Marshaller marshaller) {
        WebServiceTemplate template = new WebServiceTemplate(marshaller);
        template.setDefaultUri(url + "/" + feature + path);
        return template;
    }

    private void natural() throws Exception {
        Map<String, Class<?>> wanted = Map.ofEntries(
                Map.entry("setFlag", boolean.class), Map.entry("setCount", int.class), Map.entry("setTotal", long.class),
                Map.entry("setLevel", int.class), Map.entry("setRatio", double.class),
                Map.entry("setOffset", Double.class), Map.entry("setNote", String.class),
                Map.entry("setLeft", double.class), Map.entry("setRight", double.class),
                Map.entry("setSeries", ArrayOfDouble.class), Map.entry("setCodes", ArrayOfLong.class),
                Map.entry("setWords", ArrayOfString.class), Map.entry("setGrid", Tensor.class),
                Map.entry("setPicture", byte[].class));
        Map<String, Class<?>> setters = Stream.of(Predict.class.getMethods())
                .filter(method -> method.getName().startsWith("set"))
                .collect(Collectors.toMap(Method::getName, method -> method.getParameterTypes()[0]));
        Say.check(setters, wanted);
    }

    private Predict request() {
        Predict one = new Predict();
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

    private static final WebServiceMessageCallback PREDICT = new SoapActionCallback("urn:soapsvc:kinds:v1:predict");

    private static Prediction send(WebServiceTemplate template, Predict request, WebServiceMessageCallback callback) {
        Object answer = template.marshalSendAndReceive(request, callback == null ? PREDICT : callback);
        return ((PredictResponse) answer).getPredictResult();
    }

    private Prediction predict(String feature, Predict request) {
        return send(template(feature, PLAIN), request, null);
    }

    private void scalars(String feature, Jaxb2Marshaller marshaller, WebServiceMessageCallback callback) {
        checkScalars(send(template(feature, marshaller), request(), callback));
    }

    private static void checkScalars(Prediction answer) {
        Say.check(
                Arrays.asList(answer.isFlag(), answer.getCount(), answer.getTotal(), answer.getLevel(), answer.getRatio()),
                Arrays.asList(true, Integer.MIN_VALUE, Long.MAX_VALUE, 200, 0.1));
    }

    private void records() {
        stubs.digitreader.Prediction answer = read(scene);
        List<FoundDigit> digits = answer.getDigits().getItem();
        Say.check(answer.getText(), "173");
        Say.check(digits.stream().map(Spring::label).collect(Collectors.joining()), "173");
        Say.check(Math.round(digits.get(0).getBox().getX()), 86L);
        Say.check(read(picture).getDigits().getItem(), List.of());
    }

    private static String label(FoundDigit found) {
        return found.getDigit().getItem().get(0).getLabel();
    }

    private stubs.digitreader.Prediction read(byte[] image) {
        stubs.digitreader.Predict request = new stubs.digitreader.Predict();
        request.setImage(image);
        Object answer = template("records", "/soap/digit-reader/v1", PLAIN)
                .marshalSendAndReceive(request, new SoapActionCallback("urn:soapsvc:digit-reader:v1:predict"));
        return ((stubs.digitreader.PredictResponse) answer).getPredictResult();
    }

    private void conversation() {
        Answer first = reply(null, "My name is Ada");
        Answer second = reply(first.getSessionId(), "What is my name?");
        Say.check(first.getSessionState().value() + " " + second.getSessionState().value(), "started continued");
        Say.check(second.getSentence(), "Your name is Ada.");
    }

    private Answer reply(String session, String question) {
        Reply request = new Reply();
        request.setSessionId(session);
        request.setQuestion(question);
        Object answer = template("conversation", "/soap/chat/v1", PLAIN)
                .marshalSendAndReceive(request, new SoapActionCallback("urn:soapsvc:chat:v1:reply"));
        return ((ReplyResponse) answer).getReplyResult();
    }

    private void optional() {
        Predict one = request();
        Say.check(predict("optional", one).getShifted(), 0.0);
        one.setOffset(0.5);
        Say.check(predict("optional", one).getShifted(), 1.0);
    }

    private void arrays() {
        Predict one = request();
        Prediction answer = predict("arrays", one);
        Say.check(answer.getSeries().getItem(), one.getSeries().getItem());
        Say.check(answer.getCodes().getItem(), one.getCodes().getItem());
        Say.check(answer.getWords().getItem(), one.getWords().getItem());
        one.setWords(strings());
        Say.check(predict("arrays", one).getWords().getItem(), List.of());
    }

    private void tensor() {
        Tensor sent = request().getGrid();
        Tensor grid = predict("tensor", request()).getGrid();
        Say.check(grid.getDtype(), sent.getDtype());
        Say.check(grid.getShape().getItem(), sent.getShape().getItem());
        Say.check(grid.getDoubles().getItem(), sent.getDoubles().getItem());
    }

    private void image(String feature, Jaxb2Marshaller marshaller) {
        Prediction answer = send(template(feature, marshaller), request(), null);
        Say.check(Arrays.equals(answer.getPixels().getContent(), PIXELS), true);
    }

    private void text(String feature, String text) {
        Predict one = request();
        one.setNote(text);
        Say.check(predict(feature, one).getNote(), text);
    }

    private void nan() {
        Predict one = request();
        one.setLeft(Double.NaN);
        one.setRight(Double.NEGATIVE_INFINITY);
        one.setSeries(doubles(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY));
        Prediction answer = predict("nan", one);
        Map<String, Double> scores = answer.getScores().getItem().stream()
                .collect(Collectors.toMap(ScoredLabel::getLabel, ScoredLabel::getScore));
        Say.check(scores, Map.of("left", Double.NaN, "right", Double.NEGATIVE_INFINITY));
        Say.check(answer.getSeries().getItem(), one.getSeries().getItem());
    }

    private void batch() {
        PredictBatch request = new PredictBatch();
        request.setInstances(new ArrayOfInstance());
        request.getInstances().getItem().addAll(Arrays.asList(instance(null), instance(2.0)));
        Object answer = template("batch", PLAIN).marshalSendAndReceive(request);
        List<Double> shifted = ((PredictBatchResponse) answer).getPredictBatchResult().getItem().stream()
                .map(Prediction::getShifted)
                .collect(Collectors.toList());
        Say.check(shifted, Arrays.asList(0.0, 4.0));
    }

    private Instance instance(Double offset) {
        Predict from = request();
        Instance one = new Instance();
        one.setFlag(from.isFlag());
        one.setCount(from.getCount());
        one.setTotal(from.getTotal());
        one.setLevel(from.getLevel());
        one.setRatio(from.getRatio());
        one.setOffset(offset);
        one.setNote(from.getNote());
        one.setLeft(from.getLeft());
        one.setRight(from.getRight());
        one.setSeries(from.getSeries());
        one.setCodes(from.getCodes());
        one.setWords(from.getWords());
        one.setGrid(from.getGrid());
        one.setPicture(picture);
        return one;
    }

    private void invalidInput(WebServiceTemplate template, WebServiceMessageCallback callback) throws Exception {
        Predict one = request();
        one.setLevel(256);
        try {
            send(template, one, callback);
        } catch (SoapFaultClientException e) {
            InvalidInput fault = (InvalidInput) detail(e);
            Say.check(
                    Arrays.asList(fault.getCode(), fault.getField(), fault.getReceived()),
                    Arrays.asList("out-of-range", "level", "256"));
            Say.check(fault.getExpected().isEmpty() || fault.getRequestId().isEmpty(), false);
            return;
        }
        throw new AssertionError("no fault");
    }

    private static Object detail(SoapFaultClientException e) throws Exception {
        SoapFaultDetailElement first = e.getSoapFault().getFaultDetail().getDetailEntries().next();
        return PLAIN.unmarshal(first.getSource());
    }

    private Object faultOf(String feature, String model) throws Exception {
        stubs.inference.GetModel request = new stubs.inference.GetModel();
        request.setModelName(model);
        try {
            template(feature, "/soap/inference/v1", PLAIN).marshalSendAndReceive(request);
        } catch (SoapFaultClientException e) {
            return detail(e);
        }
        throw new AssertionError("no fault");
    }

    private void modelNotFound() throws Exception {
        Say.check(((stubs.inference.ModelNotFound) faultOf("model-not-found", "nothing")).getCode(), "unknown-model");
    }

    private void otherFaults() throws Exception {
        Say.check(((stubs.inference.Overloaded) faultOf("other-faults", "full")).getRetryAfterSeconds(), 2);
        Say.check(((stubs.inference.DeadlineExceeded) faultOf("other-faults", "late")).getDeadlineSeconds(), 1.5);
        Say.check(((stubs.inference.Unavailable) faultOf("other-faults", "gone")).getRetryAfterSeconds(), 2);
        Say.check(
                ((stubs.inference.AuthenticationFailed) faultOf("other-faults", "locked")).getCode(),
                "authentication-failed");
    }

    private void soap12() throws Exception {
        SaajSoapMessageFactory messages =
                new SaajSoapMessageFactory(MessageFactory.newInstance(SOAPConstants.SOAP_1_2_PROTOCOL));
        WebServiceTemplate template = template("soap12", "/soap12/kinds/v1", PLAIN);
        template.setMessageFactory(messages);
        checkScalars(send(template, request(), null));
        invalidInput(template, null);
    }

    private stubs.inference.Tensor echo(WebServiceTemplate template, stubs.inference.Tensor tensor) {
        stubs.inference.NamedTensor named = new stubs.inference.NamedTensor();
        named.setName("x");
        named.setTensor(tensor);
        stubs.inference.Predict request = new stubs.inference.Predict();
        request.setModelName("echo");
        request.setInputs(new stubs.inference.ArrayOfNamedTensor());
        request.getInputs().getItem().add(named);
        Object answer = template.marshalSendAndReceive(request);
        return ((stubs.inference.PredictResponse) answer)
                .getPredictResult().getOutputs().getItem().get(0).getTensor();
    }

    private static stubs.inference.Tensor shaped(long size) {
        stubs.inference.Tensor tensor = new stubs.inference.Tensor();
        tensor.setDtype(stubs.inference.DType.UINT_8);
        tensor.setShape(new stubs.inference.ArrayOfLong());
        tensor.getShape().getItem().addAll(Arrays.asList(1L, size));
        return tensor;
    }

    private void mtomOut(String feature, int size) {
        byte[] content = new byte[size];
        new Random(size).nextBytes(content);
        stubs.inference.Tensor tensor = shaped(size);
        tensor.setContent(content);
        byte[] answer = echo(template(feature, "/soap/inference/v1", MTOM), tensor).getContent();
        Say.check(Arrays.equals(answer, content), true);
    }

    private void gzipOut() {
        stubs.inference.Tensor numbers = shaped(3000);
        numbers.setLongs(new stubs.inference.ArrayOfLong());
        for (long value = 0; value < 3000; value++) {
            numbers.getLongs().getItem().add(value % 256);
        }
        Say.check(
                echo(template("gzip-out", "/soap/inference/v1", PLAIN), numbers).getLongs().getItem(),
                numbers.getLongs().getItem());
    }

    private void addressing() throws Exception {
        WebServiceMessageCallback callback = new ActionCallback(URI.create("urn:soapsvc:kinds:v1:predict"));
        scalars("addressing", PLAIN, callback);
        invalidInput(template("addressing", PLAIN), callback);
    }

    private void threads() throws Exception {
        WebServiceTemplate shared = template("threads", PLAIN);
        Say.inThreads(() -> total -> {
            Predict one = request();
            one.setTotal(total);
            return send(shared, one, null).getTotal();
        });
    }
}
