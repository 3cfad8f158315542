package org.soapsvc.client;

/** A call that has no answer; the cause is the exception of the SOAP stack, for the log. */
public final class CallFailedException extends Exception {

    private static final long serialVersionUID = 1L;

    private final transient Failure failure;

    CallFailedException(Failure failure, Exception cause) {
        super(failure.message(), cause);
        this.failure = failure;
    }

    /** Why: ask with {@code instanceof}, as {@code e.failure() instanceof Failure.InvalidInput invalid}. */
    public Failure failure() {
        return failure;
    }
}
