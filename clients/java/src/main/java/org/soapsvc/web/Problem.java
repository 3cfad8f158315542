package org.soapsvc.web;

import java.util.Map;
import org.soapsvc.client.CallFailedException;
import org.soapsvc.client.Failure;

/**
 * What a person is told when there is no answer.
 *
 * @param field the form's field at fault, empty when it is none of them
 * @param sentence plain text; the page escapes it
 */
public record Problem(String field, String sentence) {

    private static final Map<String, String> NOT_BUNDLED = Map.of(
            "faces", "This server does not serve faces, which is not bundled: \"make example-faces\" in the repository "
                    + "makes it, and says how to serve it.");

    /** Makes a problem that is no field's. */
    Problem(String sentence) {
        this("", sentence);
    }

    /** Says why a page's call failed. names: what a person calls each field of the form. */
    static Problem of(String page, CallFailedException thrown, Map<String, String> names) {
        Failure failure = thrown.failure();
        if (failure instanceof Failure.InvalidInput invalid) {
            return invalid(invalid, names);
        }
        if (failure instanceof Failure.TryLater later) {
            long seconds = Math.max(1, later.retryAfter().toSeconds());
            return new Problem("The service is busy. Try again in %d s.".formatted(seconds));
        }
        if (failure instanceof Failure.DeadlineExceeded) {
            return new Problem("The model took too long. Try again later.");
        }
        if (failure instanceof Failure.ModelNotFound) {
            return new Problem(NOT_BUNDLED.getOrDefault(page, "The service has no such model now. Ask its operator."));
        }
        if (failure instanceof Failure.AuthenticationFailed) {
            return new Problem("The service refused this application's credentials. Ask the operator.");
        }
        if (failure instanceof Failure.NoAnswer) {
            return new Problem("The service does not answer. Try again later, or ask its operator.");
        }
        return new Problem("The service failed: " + failure.message() + ".");
    }

    private static Problem invalid(Failure.InvalidInput invalid, Map<String, String> names) {
        String name = names.get(invalid.field());
        return new Problem(
                name == null ? "" : invalid.field(),
                "%s: expected %s, received %s.".formatted(
                        name == null ? invalid.field() : name, invalid.expected(), invalid.received()));
    }
}
