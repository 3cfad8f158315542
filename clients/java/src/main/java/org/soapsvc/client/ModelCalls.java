package org.soapsvc.client;

import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls one model's service: each call on a port of its own, failures as {@link CallFailedException}, a line in the
 * log. Safe to use from many threads.
 */
final class ModelCalls<P> {

    private static final Logger LOG = LoggerFactory.getLogger(ModelCalls.class);

    private final String model;
    private final PortPool<P> ports;

    /** Keeps ports that newPort makes, ready to call; see {@link PortPool}. */
    ModelCalls(String model, Supplier<P> newPort) {
        this.model = model;
        this.ports = new PortPool<>(newPort);
    }

    /** What a call does with a port. */
    @FunctionalInterface
    interface Call<P, R> {
        R on(P port) throws Exception;
    }

    /** Makes a call and returns what it returns. operation: for the log, which never shows what was sent. */
    <R> R call(String operation, Call<P, R> call) throws CallFailedException {
        long start = System.nanoTime();
        try (PortPool<P>.Lease lease = ports.borrow()) {
            R result = call.on(lease.port());
            LOG.info("{} {}: answered in {} ms", model, operation, millisecondsSince(start));
            return result;
        } catch (Exception e) {
            Failure failure = Faults.failure(e);
            LOG.warn("{} {}: {} in {} ms", model, operation, outcome(failure), millisecondsSince(start));
            throw new CallFailedException(failure, e);
        }
    }

    /** Returns the kind of a failure, and what of it holds no value that was sent. */
    private static String outcome(Failure failure) {
        String kind = failure.getClass().getSimpleName();
        if (failure instanceof Failure.InvalidInput invalid) {
            return "%s %s of %s (request %s)".formatted(kind, invalid.code(), invalid.field(), invalid.requestId());
        }
        return failure instanceof Failure.NoAnswer ? kind + " (" + failure.message() + ")" : kind;
    }

    private static long millisecondsSince(long start) {
        return (System.nanoTime() - start) / 1_000_000;
    }
}
