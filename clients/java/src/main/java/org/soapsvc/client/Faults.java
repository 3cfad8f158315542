package org.soapsvc.client;

import jakarta.xml.ws.WebFault;
import jakarta.xml.ws.WebServiceException;
import jakarta.xml.ws.soap.SOAPFaultException;
import java.time.Duration;

/** Turns what stubs throw into a {@link Failure}. Each contract has fault classes of its own that look the same. */
final class Faults {

    // A model that is not served has no address. Neither stack reads the fault of an answer with this status, and each
    // tells the status in its message alone.
    private static final String NO_SERVICE = "404: Not Found";

    private Faults() {
    }

    /** Returns why a call failed; an exception that is none of the stack's or of the stubs' is thrown again. */
    static Failure failure(Exception thrown) {
        WebFault declared = thrown.getClass().getAnnotation(WebFault.class);
        if (declared != null) {
            return typed(declared.name(), new Members(thrown));
        }
        if (thrown instanceof SOAPFaultException) {
            return new Failure.Unforeseen(thrown.getMessage());
        }
        if (thrown instanceof WebServiceException) {
            String cause = rootCause(thrown);
            return cause.contains(NO_SERVICE)
                    ? new Failure.ModelNotFound("no-service", cause, "") : new Failure.NoAnswer(cause);
        }
        throw thrown instanceof RuntimeException bug ? bug : new IllegalStateException(thrown);
    }

    /** Returns what lies under an exception of the stack, as "Connection refused"; CXF's own message tells nothing. */
    static String rootCause(Throwable thrown) {
        Throwable root = thrown;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.toString() : root.getMessage();
    }

    private static Failure typed(String name, Members fault) {
        String code = fault.get("Code", String.class);
        String message = fault.get("Message", String.class);
        String requestId = fault.get("RequestId", String.class);
        return switch (name) {
            case "InvalidInput" -> new Failure.InvalidInput(
                    code, fault.get("Field", String.class), fault.get("Expected", String.class),
                    fault.get("Received", String.class), message, requestId);
            case "ModelNotFound" -> new Failure.ModelNotFound(code, message, requestId);
            case "Overloaded", "Unavailable" -> new Failure.TryLater(
                    code, Duration.ofSeconds(fault.get("RetryAfterSeconds", Integer.class)), message, requestId);
            case "DeadlineExceeded" -> new Failure.DeadlineExceeded(
                    code, Duration.ofMillis(Math.round(1000 * fault.get("DeadlineSeconds", Double.class))), message,
                    requestId);
            case "AuthenticationFailed" -> new Failure.AuthenticationFailed(code, message, requestId);
            default -> new Failure.Unforeseen(message);
        };
    }

    /** The getters of a fault's bean. */
    private static final class Members {

        private final Object bean;

        Members(Exception thrown) {
            bean = call(thrown, "getFaultInfo");
        }

        <T> T get(String member, Class<T> type) {
            return type.cast(call(bean, "get" + member));
        }

        private static Object call(Object object, String method) {
            try {
                return object.getClass().getMethod(method).invoke(object);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("expected a fault as wsimport and wsdl2java generate it", e);
            }
        }
    }
}
