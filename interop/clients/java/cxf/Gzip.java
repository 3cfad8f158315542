import org.apache.cxf.endpoint.Client;
import org.apache.cxf.frontend.ClientProxy;
import org.apache.cxf.transport.common.gzip.GZIPInInterceptor;
import org.apache.cxf.transport.common.gzip.GZIPOutInterceptor;

/** gzip in CXF: interceptors. */
final class Gzip {

    private Gzip() {
    }

    static void compressRequests(Object port) {
        GZIPOutInterceptor always = new GZIPOutInterceptor(0);
        always.setForce(true);
        ClientProxy.getClient(port).getOutInterceptors().add(always);
        ClientProxy.getClient(port).getInInterceptors().add(new GZIPInInterceptor());
    }

    /** The interceptor of requests also says that compressed answers are welcome. */
    static void acceptCompressed(Object port) {
        Client client = ClientProxy.getClient(port);
        client.getOutInterceptors().add(new GZIPOutInterceptor());
        client.getInInterceptors().add(new GZIPInInterceptor());
    }
}
