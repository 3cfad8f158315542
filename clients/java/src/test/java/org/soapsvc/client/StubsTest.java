package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jws.WebParam;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.soapsvc.client.chat.Chat;
import org.soapsvc.client.digitreader.ArrayOfFoundDigit;
import org.soapsvc.client.digitreader.Box;
import org.soapsvc.client.digitreader.DigitReader;
import org.soapsvc.client.digitreader.FoundDigit;
import org.soapsvc.client.digits.Digits;
import org.soapsvc.client.faces.Faces;
import org.soapsvc.client.inference.ArrayOfNamedTensor;
import org.soapsvc.client.inference.ArrayOfString;
import org.soapsvc.client.inference.Inference;
import org.soapsvc.client.inference.InferenceResult;
import org.soapsvc.client.iris.ArrayOfInstance;
import org.soapsvc.client.iris.ArrayOfPrediction;
import org.soapsvc.client.iris.Iris;
import org.soapsvc.client.iris.ModelInfo;
import org.soapsvc.client.kinds.ArrayOfDouble;
import org.soapsvc.client.kinds.ArrayOfLong;
import org.soapsvc.client.kinds.Kinds;
import org.soapsvc.client.kinds.Tensor;
import org.soapsvc.client.language.Language;

/** What a Java developer sees of the contracts: they are public and can't be taken back. */
class StubsTest {

    private static final Set<String> FAULTS = Set.of(
            "AuthenticationFailed_Exception", "DeadlineExceeded_Exception", "InvalidInput_Exception",
            "ModelNotFound_Exception", "Overloaded_Exception", "Unavailable_Exception");

    @Test
    void iris_takesFourDoubles() throws NoSuchMethodException {
        Method predict = Iris.class.getMethod("predict", double.class, double.class, double.class, double.class);

        assertEquals(org.soapsvc.client.iris.Prediction.class, predict.getReturnType());
        assertEquals(List.of("sepalLength", "sepalWidth", "petalLength", "petalWidth"), parameters(predict));
    }

    @Test
    void iris_takesBatches() throws NoSuchMethodException {
        Method predictBatch = Iris.class.getMethod("predictBatch", ArrayOfInstance.class);

        assertEquals(ArrayOfPrediction.class, predictBatch.getReturnType());
        assertEquals(List.of("instances"), parameters(predictBatch));
        assertEquals(ModelInfo.class, Iris.class.getMethod("getModelInfo").getReturnType());
    }

    @Test
    void digitReader_answersAListOfRecords() throws NoSuchMethodException {
        Method predict = DigitReader.class.getMethod("predict", byte[].class);

        assertEquals(org.soapsvc.client.digitreader.Prediction.class, predict.getReturnType());
        assertEquals(ArrayOfFoundDigit.class, predict.getReturnType().getMethod("getDigits").getReturnType());
        assertEquals(Box.class, FoundDigit.class.getMethod("getBox").getReturnType());
        assertEquals(double.class, Box.class.getMethod("getX").getReturnType());
    }

    @Test
    void digits_takesBytes() throws NoSuchMethodException {
        Method predict = Digits.class.getMethod("predict", byte[].class);

        assertEquals(org.soapsvc.client.digits.Prediction.class, predict.getReturnType());
        assertEquals(List.of("image"), parameters(predict));
    }

    @Test
    void language_takesAString() throws NoSuchMethodException {
        Method predict = Language.class.getMethod("predict", String.class);

        assertEquals(org.soapsvc.client.language.Prediction.class, predict.getReturnType());
        assertEquals(List.of("text"), parameters(predict));
    }

    @Test
    void chat_takesASessionAndAQuestion() throws NoSuchMethodException {
        Method reply = Chat.class.getMethod("reply", String.class, String.class);

        assertEquals(org.soapsvc.client.chat.Answer.class, reply.getReturnType());
        assertEquals(List.of("sessionId", "question"), parameters(reply));
    }

    @Test
    void kinds_takesEachKindAsItsOwnType() throws NoSuchMethodException {
        Method predict = Kinds.class.getMethod(
                "predict", boolean.class, int.class, long.class, int.class, double.class, Double.class, String.class,
                double.class, double.class, ArrayOfDouble.class, ArrayOfLong.class,
                org.soapsvc.client.kinds.ArrayOfString.class, Tensor.class, byte[].class);

        assertEquals(
                List.of("flag", "count", "total", "level", "ratio", "offset", "note", "left", "right", "series",
                        "codes", "words", "grid", "picture"),
                parameters(predict));
    }

    @Test
    void inference_takesNamedTensors() throws NoSuchMethodException {
        Method predict = Inference.class.getMethod(
                "predict", String.class, Long.class, String.class, String.class, ArrayOfNamedTensor.class,
                ArrayOfString.class);

        assertEquals(InferenceResult.class, predict.getReturnType());
        assertEquals(
                List.of("modelName", "version", "label", "signature", "inputs", "outputNames"), parameters(predict));
    }

    @ParameterizedTest
    @ValueSource(classes = {
        Iris.class, Digits.class, Language.class, Chat.class, DigitReader.class, Faces.class, Inference.class, Kinds.class})
    void everyOperation_declaresEveryFault(Class<?> port) {
        for (Method operation : port.getMethods()) {
            Set<String> declared =
                    Stream.of(operation.getExceptionTypes()).map(Class::getSimpleName).collect(Collectors.toSet());
            assertEquals(FAULTS, declared, operation::toString);
        }
    }

    @Test
    void noStub_needsJAXBElement() throws IOException {
        List<Path> sources;
        try (Stream<Path> files = Files.walk(Path.of("target/generated-sources"))) {
            sources = files.filter(file -> file.toString().endsWith(".java")).toList();
        }
        List<Path> wrapped = new ArrayList<>();
        for (Path source : sources) {
            if (Files.readString(source).contains("JAXBElement")) {
                wrapped.add(source);
            }
        }
        assertTrue(sources.stream().anyMatch(source -> source.endsWith("inference/Tensor.java")), "nothing to read");
        assertEquals(List.of(), wrapped);
    }

    private static List<String> parameters(Method operation) {
        return Stream.of(operation.getParameters()).map(one -> one.getAnnotation(WebParam.class).name()).toList();
    }
}
