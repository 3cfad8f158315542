package org.soapsvc.client;

import jakarta.xml.ws.WebServiceException;
import java.io.PrintStream;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import org.soapsvc.client.iris.AuthenticationFailed_Exception;
import org.soapsvc.client.iris.DeadlineExceeded_Exception;
import org.soapsvc.client.iris.InvalidInput;
import org.soapsvc.client.iris.InvalidInput_Exception;
import org.soapsvc.client.iris.Iris;
import org.soapsvc.client.iris.IrisService;
import org.soapsvc.client.iris.ModelNotFound_Exception;
import org.soapsvc.client.iris.Overloaded_Exception;
import org.soapsvc.client.iris.Prediction;
import org.soapsvc.client.iris.ScoredLabel;
import org.soapsvc.client.iris.Unavailable_Exception;

/** Asks an iris service for the species of one flower: a Java developer's first call. */
public final class Quickstart {

    private static final String USAGE =
            "usage: Quickstart http://localhost:8080/soap/iris/v1 [sepalLength sepalWidth petalLength petalWidth]";
    private static final double[] A_FLOWER = {5.1, 3.5, 1.4, 0.2};

    private final Iris iris;
    private final PrintStream out;

    Quickstart(Iris iris, PrintStream out) {
        this.iris = iris;
        this.out = out;
    }

    /** Calls the endpoint in the first argument; the four measurements may follow. */
    public static void main(String[] args) {
        if (args.length != 1 && args.length != 5) {
            System.err.println(USAGE);
            return;
        }
        var endpoint = new ServiceEndpoint(URI.create(args[0]), Duration.ofSeconds(5), Duration.ofSeconds(60));
        double[] flower = args.length == 1
                ? A_FLOWER
                : Arrays.stream(args).skip(1).mapToDouble(Double::parseDouble).toArray();
        Iris iris = endpoint.applyTo(new IrisService().getIrisPort());
        new Quickstart(iris, System.out).ask(flower[0], flower[1], flower[2], flower[3]);
    }

    /** Prints the species with their scores, or a sentence that says why there are none. */
    void ask(double sepalLength, double sepalWidth, double petalLength, double petalWidth) {
        try {
            print(iris.predict(sepalLength, sepalWidth, petalLength, petalWidth));
        } catch (InvalidInput_Exception e) {
            InvalidInput fault = e.getFaultInfo();
            out.printf("%s must be %s, but was %s.%n", fault.getField(), fault.getExpected(), fault.getReceived());
        } catch (Overloaded_Exception e) {
            out.printf("The service is busy; try again in %d s.%n", e.getFaultInfo().getRetryAfterSeconds());
        } catch (Unavailable_Exception e) {
            out.printf("The model is not ready; try again in %d s.%n", e.getFaultInfo().getRetryAfterSeconds());
        } catch (DeadlineExceeded_Exception | ModelNotFound_Exception | AuthenticationFailed_Exception e) {
            out.printf("The service refused: %s.%n", e.getMessage());
        } catch (WebServiceException e) {
            out.printf("The service did not answer: %s.%n", Faults.rootCause(e));
        }
    }

    private void print(Prediction prediction) {
        for (ScoredLabel species : prediction.getProbabilities().getItem()) {
            out.printf(Locale.ROOT, "%-12s %.6f%n", species.getLabel(), species.getScore());
        }
        out.printf("answered by version %d of the model%n", prediction.getModelVersion());
    }
}
