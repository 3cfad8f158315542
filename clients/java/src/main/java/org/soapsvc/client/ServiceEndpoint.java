package org.soapsvc.client;

import jakarta.xml.ws.BindingProvider;
import java.net.URI;
import java.time.Duration;
import java.util.Map;

/**
 * Where a service is, how long a call may wait for it, and who calls.
 *
 * @param address the endpoint, as http://host:8080/soap/iris/v1; it replaces the one in the contract
 * @param connectTimeout until the connection stands
 * @param readTimeout the longest silence of the server; longer than the server's own deadline, or its fault is missed
 * @param credentials put on each port
 */
public record ServiceEndpoint(
        URI address, Duration connectTimeout, Duration readTimeout, Credentials credentials) {

    // The specification has no names for timeouts: the first of each pair is JAX-WS RI's, which takes Integer alone,
    // the second CXF's. Each passes over the other's.
    private static final String[] CONNECT_TIMEOUT_MS = {
        "com.sun.xml.ws.connect.timeout", "jakarta.xml.ws.client.connectionTimeout"
    };
    private static final String[] READ_TIMEOUT_MS = {
        "com.sun.xml.ws.request.timeout", "jakarta.xml.ws.client.receiveTimeout"
    };

    /** Refuses a timeout under a millisecond: the stacks would take it for "wait for ever". */
    public ServiceEndpoint {
        if (connectTimeout.toMillis() < 1 || readTimeout.toMillis() < 1) {
            throw new IllegalArgumentException("expected timeouts of at least 1 ms, received " + connectTimeout
                    + " and " + readTimeout);
        }
    }

    /** Makes an endpoint that asks for no credentials. */
    public ServiceEndpoint(URI address, Duration connectTimeout, Duration readTimeout) {
        this(address, connectTimeout, readTimeout, Credentials.none());
    }

    /**
     * Makes a port call this endpoint, and returns the port.
     *
     * @param port as a generated service makes it, before its first call
     */
    public <P> P applyTo(P port) {
        BindingProvider provider = (BindingProvider) port;
        Map<String, Object> context = provider.getRequestContext();
        context.put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, address.toString());
        for (String name : CONNECT_TIMEOUT_MS) {
            context.put(name, Math.toIntExact(connectTimeout.toMillis()));
        }
        for (String name : READ_TIMEOUT_MS) {
            context.put(name, Math.toIntExact(readTimeout.toMillis()));
        }
        credentials.applyTo(provider);
        return port;
    }
}
