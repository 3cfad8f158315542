package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import jakarta.xml.soap.SOAPException;
import jakarta.xml.ws.WebServiceException;
import jakarta.xml.ws.handler.Handler;
import jakarta.xml.ws.handler.MessageContext;
import jakarta.xml.ws.handler.soap.SOAPHandler;
import jakarta.xml.ws.handler.soap.SOAPMessageContext;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.xml.namespace.QName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The clients without a soapsvc: at a closed port, at a silent one, and at one that answers what a test says. */
class OfflineTest {

    private static final Flower SETOSA = new Flower(5.1, 3.5, 1.4, 0.2);
    private static final String BUSY = """
            <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>
            <faultcode>s:Server</faultcode><faultstring>busy</faultstring><detail>
            <Overloaded xmlns="urn:soapsvc:iris:v1"><code>queue-full</code><message>busy</message>
            <requestId>7f</requestId><retryAfterSeconds>3</retryAfterSeconds></Overloaded>
            </detail></s:Fault></s:Body></s:Envelope>""";

    private final Queue<String> authorizations = new ConcurrentLinkedQueue<>();
    private final Queue<String> bodies = new ConcurrentLinkedQueue<>();
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answerBusy);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void clients_startWithoutAServer() throws IOException {
        ServiceEndpoint nowhere = endpoint(closedPort(), Credentials.none());
        IrisClient iris = new IrisClient(nowhere);
        new DigitsClient(nowhere);
        new LanguageClient(nowhere);
        new ChatClient(nowhere);
        new DigitReaderClient(nowhere);
        new FacesClient(nowhere);

        CallFailedException e = assertThrows(CallFailedException.class, () -> iris.classify(SETOSA));

        assertInstanceOf(Failure.NoAnswer.class, e.failure());
        assertInstanceOf(WebServiceException.class, e.getCause());
    }

    @Test
    void serverThatNeverAnswers_isNoAnswer() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            URI address = URI.create("http://localhost:" + silent.getLocalPort());
            IrisClient iris = new IrisClient(
                    new ServiceEndpoint(address, Duration.ofSeconds(30), Duration.ofMillis(50)));

            CallFailedException e = assertThrows(CallFailedException.class, iris::describe);

            assertInstanceOf(Failure.NoAnswer.class, e.failure());
        }
    }

    @Test
    void overloaded_saysWhenToTryAgain() {
        CallFailedException e = assertThrows(CallFailedException.class, () -> client(Credentials.none()).describe());

        assertEquals(new Failure.TryLater("queue-full", Duration.ofSeconds(3), "busy", "7f"), e.failure());
    }

    @Test
    void basicCredentials_goWithTheFirstCall() {
        assertThrows(CallFailedException.class, () -> client(Credentials.basic("anna", "s3cret:ü")).describe());

        String[] header = authorizations.remove().split(" ");
        assertEquals("Basic", header[0]);
        assertArrayEquals("anna:s3cret".getBytes(StandardCharsets.US_ASCII), prefix(header[1], 11));
    }

    @Test
    void credentialsOfAHandler_standInTheMessage() {
        Credentials token = port -> {
            @SuppressWarnings("rawtypes")
            List<Handler> chain = port.getBinding().getHandlerChain();
            chain.add(new Token());
            port.getBinding().setHandlerChain(chain);
        };

        assertThrows(CallFailedException.class, () -> client(token).describe());

        assertEquals("t-1", bodies.remove().replaceFirst("(?s).*<(\\w+:)?Token[^>]*>([^<]*)<.*", "$2"));
    }

    /** Writes a header block into each message that goes out. */
    private static final class Token implements SOAPHandler<SOAPMessageContext> {

        @Override
        public boolean handleMessage(SOAPMessageContext context) {
            if (Boolean.TRUE.equals(context.get(MessageContext.MESSAGE_OUTBOUND_PROPERTY))) {
                try {
                    var message = context.getMessage();
                    var header = message.getSOAPHeader() == null
                            ? message.getSOAPPart().getEnvelope().addHeader() : message.getSOAPHeader();
                    header.addHeaderElement(new QName("urn:test", "Token", "t")).addTextNode("t-1");
                } catch (SOAPException e) {
                    throw new WebServiceException(e);
                }
            }
            return true;
        }

        @Override
        public boolean handleFault(SOAPMessageContext context) {
            return true;
        }

        @Override
        public void close(MessageContext context) {
            // nothing to close
        }

        @Override
        public Set<QName> getHeaders() {
            return Set.of();
        }
    }

    private IrisClient client(Credentials credentials) {
        return new IrisClient(endpoint(server.getAddress().getPort(), credentials));
    }

    private static ServiceEndpoint endpoint(int port, Credentials credentials) {
        URI address = URI.create("http://localhost:" + port + "/soap/iris/v1");
        return new ServiceEndpoint(address, Duration.ofSeconds(30), Duration.ofSeconds(30), credentials);
    }

    private void answerBusy(HttpExchange exchange) throws IOException {
        bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        authorizations.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
        byte[] answer = BUSY.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/xml; charset=utf-8");
        exchange.sendResponseHeaders(500, answer.length);
        exchange.getResponseBody().write(answer);
        exchange.close();
    }

    private static byte[] prefix(String base64, int length) {
        return Arrays.copyOf(Base64.getDecoder().decode(base64), length);
    }

    private static int closedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
