package org.soapsvc.client;

import java.net.URI;
import java.time.Duration;
import org.soapsvc.run.Running;

/** The running server that the integration tests call. */
final class Server {

    private Server() {
    }

    /** Makes a port call this server, and returns it. path: the endpoint's, as /soap/iris/v1. */
    static <P> P at(String path, P port) {
        return endpoint(path).applyTo(port);
    }

    /** Returns an endpoint of this server; the waits are long, for a loaded machine must not fail a test. */
    static ServiceEndpoint endpoint(String path) {
        return new ServiceEndpoint(URI.create(Running.server() + path), Duration.ofSeconds(30), Duration.ofSeconds(120));
    }
}
