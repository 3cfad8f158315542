package org.soapsvc.client;

import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Supplier;

/**
 * Lends each caller a port of its own; safe to use from many threads.
 *
 * <p>A port is costly to make and, as Jakarta XML Web Services leaves it open, not safe to share: make one pool when
 * the program starts, and borrow for each call. A pool keeps as many ports as were ever in use at once, and holds no
 * thread, so a web application can be undeployed.
 *
 * <pre>{@code
 * IrisService service = new IrisService();
 * PortPool<Iris> ports = new PortPool<>(() -> endpoint.applyTo(service.getIrisPort()));
 * try (PortPool<Iris>.Lease lease = ports.borrow()) {
 *     return lease.port().predict(5.1, 3.5, 1.4, 0.2);
 * }
 * }</pre>
 */
public final class PortPool<P> {

    private final Supplier<P> newPort;
    private final Deque<P> idle = new ConcurrentLinkedDeque<>();

    /**
     * Makes an empty pool.
     *
     * @param newPort makes a port ready to call; never called by two threads at once
     */
    public PortPool(Supplier<P> newPort) {
        this.newPort = newPort;
    }

    /** Lends a port that nobody else has until the lease is closed. */
    public Lease borrow() {
        P port = idle.poll();
        return new Lease(port == null ? make() : port);
    }

    private synchronized P make() {
        return newPort.get();
    }

    /** A port on loan to one thread. */
    public final class Lease implements AutoCloseable {

        private P port;

        private Lease(P port) {
            this.port = port;
        }

        /** Returns the port; it must not be used once the lease is closed. */
        public P port() {
            return Objects.requireNonNull(port, "the lease is closed");
        }

        /** Gives the port back; closing again does nothing. */
        @Override
        public void close() {
            if (port != null) {
                idle.push(port);
                port = null;
            }
        }
    }
}
