package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import jakarta.xml.ws.WebServiceException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.soapsvc.client.iris.Iris;
import org.soapsvc.client.iris.IrisService;

class ServiceEndpointTest {

    @Test
    void readTimeout_ofAServerThatNeverAnswers_endsTheCall() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            URI address = URI.create("http://localhost:" + silent.getLocalPort() + "/soap/iris/v1");
            var endpoint = new ServiceEndpoint(address, Duration.ofSeconds(30), Duration.ofMillis(50));
            Iris iris = endpoint.applyTo(new IrisService().getIrisPort());

            WebServiceException e = assertTimeoutPreemptively(
                    Duration.ofMinutes(1), () -> assertThrows(WebServiceException.class, iris::getModelInfo));

            assertInstanceOf(IOException.class, e.getCause());
        }
    }

    @Test
    void timeouts_ofZero_areRefused() {
        URI address = URI.create("http://localhost:8080/soap/iris/v1");

        assertThrows(
                IllegalArgumentException.class,
                () -> new ServiceEndpoint(address, Duration.ZERO, Duration.ofSeconds(1)));
        assertThrows(
                IllegalArgumentException.class,
                () -> new ServiceEndpoint(address, Duration.ofSeconds(1), Duration.ZERO));
    }
}
