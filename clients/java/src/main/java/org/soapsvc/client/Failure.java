package org.soapsvc.client;

import java.time.Duration;

/** Why a call has no answer: one record for each fault of the contracts, and two for what no contract declares. */
public sealed interface Failure {

    /** What went wrong, in words for people. */
    String message();

    /**
     * A value breaks the contract, or the model can't work on it; the same call would fail again.
     *
     * @param code what is wrong, for programs, as out-of-range; docs/faults.md lists them
     * @param field the element at fault, as petalLength, or instances[3].petalLength in a batch
     * @param expected what would have been right
     * @param received what came
     * @param requestId the id under which the server logged the call
     */
    record InvalidInput(
            String code, String field, String expected, String received, String message, String requestId)
            implements Failure {
    }

    /**
     * No loaded version of the model answers at this address.
     *
     * @param code as unknown-version, or no-service where the server has no such address
     * @param requestId empty for no-service
     */
    record ModelNotFound(String code, String message, String requestId) implements Failure {
    }

    /** Too many calls wait, or the model is not ready: try again after a while. */
    record TryLater(String code, Duration retryAfter, String message, String requestId) implements Failure {
    }

    /** The answer was not ready in time. */
    record DeadlineExceeded(String code, Duration deadline, String message, String requestId) implements Failure {
    }

    /** The credentials are missing or not accepted. */
    record AuthenticationFailed(String code, String message, String requestId) implements Failure {
    }

    /** The server answered with a fault that no contract declares. */
    record Unforeseen(String message) implements Failure {
    }

    /** Nothing came back that is a SOAP message: no connection, a timeout, or an answer of something else. */
    record NoAnswer(String message) implements Failure {
    }
}
