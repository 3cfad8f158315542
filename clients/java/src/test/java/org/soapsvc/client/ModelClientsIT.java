package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ModelClientsIT {

    private static final int THREADS = 16;
    private static final int CALLS_PER_THREAD = 500;
    private static final List<Flower> FLOWERS = List.of(
            new Flower(5.1, 3.5, 1.4, 0.2), new Flower(6.1, 2.8, 4.0, 1.3), new Flower(6.7, 2.5, 5.8, 1.8));

    private final IrisClient iris = new IrisClient(Server.endpoint("/soap/iris/v1"));
    private final DigitsClient digits = new DigitsClient(Server.endpoint("/soap/digits/v1"));
    private final LanguageClient language = new LanguageClient(Server.endpoint("/soap/language/v1"));

    @Test
    void iris_classifiesOneAndMany() throws Exception {
        assertEquals("virginica", iris.classify(FLOWERS.get(2)).best().label());
        assertEquals(
                List.of("setosa", "versicolor", "virginica"),
                iris.classifyAll(FLOWERS).stream().map(answer -> answer.best().label()).toList());
    }

    @Test
    void digits_classifiesOneAndMany() throws Exception {
        byte[] one = Pictures.sampleOfOne();
        byte[] zero = Pictures.drawnZero("png");

        assertEquals("1", digits.classify(one).best().label());
        assertEquals(
                List.of("0", "1"),
                digits.classifyAll(List.of(zero, one)).stream().map(answer -> answer.best().label()).toList());
    }

    @Test
    void language_classifiesOneAndMany() throws Exception {
        assertEquals("de", language.classify("Guten Morgen, wie geht es Ihnen?").best().label());
        assertEquals(
                List.of("fr", "ru"),
                language.classifyAll(List.of("Où est la bibliothèque ?", "Доброе утро, как у вас дела?")).stream()
                        .map(answer -> answer.best().label()).toList());
    }

    @Test
    void describe_tellsVersionAndLimit() throws Exception {
        ModelSummary summary = digits.describe();

        assertEquals("digits", summary.name());
        assertEquals(1, summary.version());
        assertEquals(100, summary.maxBatch());
        assertTrue(summary.description().startsWith("Which digit"), summary.description());
    }

    @Test
    void faultOfEachContract_isTheSameRecord() {
        var ofIris = failure(() -> iris.classify(new Flower(5.1, 3.5, Double.NaN, 0.2)));
        var ofDigits = failure(() -> digits.classify("no picture".getBytes(StandardCharsets.US_ASCII)));
        var ofLanguage = failure(() -> language.classifyAll(List.of()));

        assertEquals("petalLength", assertInstanceOf(Failure.InvalidInput.class, ofIris).field());
        assertEquals("bad-image", assertInstanceOf(Failure.InvalidInput.class, ofDigits).code());
        assertEquals("empty", assertInstanceOf(Failure.InvalidInput.class, ofLanguage).code());
    }

    @Test
    void versionThatIsNone_isModelNotFound() {
        IrisClient elsewhere = new IrisClient(Server.endpoint("/soap/iris/v1/versions/99"));

        assertInstanceOf(Failure.ModelNotFound.class, failure(() -> elsewhere.classify(FLOWERS.get(0))));
    }

    @Test
    void oneClient_callsFromManyThreads_eachGetTheirOwnAnswer() throws Exception {
        List<Flower> questions = IntStream.range(0, THREADS).mapToObj(ModelClientsIT::flower).toList();
        List<Answer> expected = iris.classifyAll(questions);
        assertEquals(THREADS, expected.stream().distinct().count(), "each thread's answer must be its own");
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<Callable<List<Answer>>> work =
                    questions.stream().<Callable<List<Answer>>>map(one -> () -> askOftenAbout(one)).toList();
            List<Future<List<Answer>>> done = threads.invokeAll(work);
            for (int thread = 0; thread < THREADS; thread++) {
                for (Answer answer : done.get(thread).get()) {
                    assertSame(expected.get(thread), answer);
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private List<Answer> askOftenAbout(Flower flower) throws CallFailedException {
        List<Answer> answers = new ArrayList<>();
        for (int call = 0; call < CALLS_PER_THREAD; call++) {
            answers.add(iris.classify(flower));
        }
        return answers;
    }

    /** Checks labels and scores; a batch may round the last bits of a float32 otherwise than one instance. */
    private static void assertSame(Answer expected, Answer answer) {
        for (int i = 0; i < expected.scores().size(); i++) {
            Score one = expected.scores().get(i);
            assertEquals(one.label(), answer.scores().get(i).label());
            assertEquals(one.probability(), answer.scores().get(i).probability(), 1e-6);
        }
    }

    /** Returns a flower whose probabilities differ from another thread's by far more than rounding. */
    private static Flower flower(int thread) {
        return new Flower(6.0, 2.8, 4.2 + 0.06 * thread, 1.6);
    }

    private static Failure failure(Callable<?> call) {
        return assertThrows(CallFailedException.class, call::call).failure();
    }
}
