import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.handler.MessageContext;
import java.util.List;
import java.util.Map;

/** gzip in the JAX-WS reference implementation: it obeys the HTTP headers that it is given. */
final class Gzip {

    private Gzip() {
    }

    static void compressRequests(Object port) {
        header(port, "Content-Encoding");
    }

    static void acceptCompressed(Object port) {
        header(port, "Accept-Encoding");
    }

    private static void header(Object port, String name) {
        ((BindingProvider) port)
                .getRequestContext()
                .put(MessageContext.HTTP_REQUEST_HEADERS, Map.of(name, List.of("gzip")));
    }
}
