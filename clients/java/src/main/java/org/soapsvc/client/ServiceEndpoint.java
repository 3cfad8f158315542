package org.soapsvc.client;

import jakarta.xml.ws.BindingProvider;
import java.net.URI;
import java.time.Duration;
import java.util.Map;

/**
 * Where a service is, and how long a call may wait for it.
 *
 * @param address the endpoint, as http://host:8080/soap/iris/v1; it replaces the one in the contract
 * @param connectTimeout until the connection stands
 * @param readTimeout the longest silence of the server; longer than the server's own deadline, or its fault is missed
 */
public record ServiceEndpoint(URI address, Duration connectTimeout, Duration readTimeout) {

    // The names are those of JAX-WS RI; the specification has none for timeouts.
    private static final String CONNECT_TIMEOUT_MS = "com.sun.xml.ws.connect.timeout";
    private static final String READ_TIMEOUT_MS = "com.sun.xml.ws.request.timeout";

    /** Refuses a timeout under a millisecond: JAX-WS RI would take it for "wait for ever". */
    public ServiceEndpoint {
        if (connectTimeout.toMillis() < 1 || readTimeout.toMillis() < 1) {
            throw new IllegalArgumentException("expected timeouts of at least 1 ms, received " + connectTimeout
                    + " and " + readTimeout);
        }
    }

    /**
     * Makes a port call this endpoint, and returns the port.
     *
     * @param port as a generated service makes it, before its first call
     */
    public <P> P applyTo(P port) {
        Map<String, Object> context = ((BindingProvider) port).getRequestContext();
        context.put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, address.toString());
        context.put(CONNECT_TIMEOUT_MS, Math.toIntExact(connectTimeout.toMillis()));
        context.put(READ_TIMEOUT_MS, Math.toIntExact(readTimeout.toMillis()));
        return port;
    }
}
