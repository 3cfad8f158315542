import jakarta.xml.ws.Endpoint;
import java.net.ServerSocket;

/** The contract on Apache CXF and its Jetty: `CxfServer`. */
public final class CxfServer {

    public static void main(String[] arguments) throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        Endpoint.publish("http://127.0.0.1:" + port + "/soap/iris/v1", new IrisEndpoint(Scorer.of(arguments)));
        System.out.println("ready: http://127.0.0.1:" + port + "/");
    }
}
