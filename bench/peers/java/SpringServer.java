import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.ws.config.annotation.EnableWs;
import org.springframework.ws.server.endpoint.annotation.Endpoint;
import org.springframework.ws.server.endpoint.annotation.PayloadRoot;
import org.springframework.ws.server.endpoint.annotation.RequestPayload;
import org.springframework.ws.server.endpoint.annotation.ResponsePayload;
import org.springframework.ws.soap.saaj.SaajSoapMessageFactory;
import org.springframework.ws.soap.server.SoapMessageDispatcher;
import org.springframework.ws.transport.http.WebServiceMessageReceiverHttpHandler;
import stubs.iris.ArrayOfScoredLabel;
import stubs.iris.Predict;
import stubs.iris.PredictResponse;
import stubs.iris.Prediction;
import stubs.iris.ScoredLabel;

/** The contract on Spring-WS and the JDK's own HTTP server. */
@EnableWs
@Endpoint
public class SpringServer {

    private static final String[] SPECIES = {"setosa", "versicolor", "virginica"};

    @PayloadRoot(namespace = "urn:soapsvc:iris:v1", localPart = "predict")
    @ResponsePayload
    public PredictResponse predict(@RequestPayload Predict flower) {
        ArrayOfScoredLabel ranking = new ArrayOfScoredLabel();
        float[] scores = Scorer.FIXED.score(
            new float[] {
                (float) flower.getSepalLength(), (float) flower.getSepalWidth(),
                (float) flower.getPetalLength(), (float) flower.getPetalWidth()
            });
        for (int index : Scorer.ranked(scores)) {
            ScoredLabel scored = new ScoredLabel();
            scored.setLabel(SPECIES[index]);
            scored.setScore(scores[index]);
            ranking.getItem().add(scored);
        }
        Prediction prediction = new Prediction();
        prediction.setProbabilities(ranking);
        prediction.setModelVersion(1);
        PredictResponse response = new PredictResponse();
        response.setPredictResult(prediction);
        return response;
    }

    public static void main(String[] arguments) throws Exception {
        AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext(SpringServer.class);
        SoapMessageDispatcher dispatcher = new SoapMessageDispatcher();
        dispatcher.setApplicationContext(context);
        SaajSoapMessageFactory messages = new SaajSoapMessageFactory();
        messages.afterPropertiesSet();
        WebServiceMessageReceiverHttpHandler handler = new WebServiceMessageReceiverHttpHandler();
        handler.setMessageFactory(messages);
        handler.setMessageReceiver(dispatcher);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 128);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/soap/iris/v1", handler);
        server.start();
        System.out.println("ready: http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }
}
