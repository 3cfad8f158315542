import com.sun.net.httpserver.HttpServer;
import jakarta.xml.ws.Endpoint;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

/** The contract on JAX-WS RI and the JDK's own HTTP server: `IrisServer [MODEL.pb]`. */
public final class IrisServer {

    private static final String PATH = "/soap/iris/v1";

    public static void main(String[] arguments) throws Exception {
        InetSocketAddress anywhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        HttpServer server = HttpServer.create(anywhere, 128);
        server.setExecutor(Executors.newCachedThreadPool());
        Endpoint.create(new IrisEndpoint(Scorer.of(arguments))).publish(server.createContext(PATH));
        server.start();
        System.out.println("ready: http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }
}
