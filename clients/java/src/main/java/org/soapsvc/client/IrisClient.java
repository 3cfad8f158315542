package org.soapsvc.client;

import java.util.List;
import org.soapsvc.client.iris.ArrayOfInstance;
import org.soapsvc.client.iris.Instance;
import org.soapsvc.client.iris.Iris;
import org.soapsvc.client.iris.IrisService;
import org.soapsvc.client.iris.ModelInfo;
import org.soapsvc.client.iris.Prediction;

/** The species of iris flowers. Safe to use from many threads; keep one for the whole program. */
public final class IrisClient implements ModelClient {

    private final ModelCalls<Iris> calls;

    /** Makes a client without calling the service: the contract is in the archive. */
    public IrisClient(ServiceEndpoint endpoint) {
        IrisService service = new IrisService();
        calls = new ModelCalls<>("iris", () -> endpoint.applyTo(service.getIrisPort()));
    }

    /** Returns the species of a flower. */
    public Answer classify(Flower flower) throws CallFailedException {
        return calls.call("predict", iris -> answer(iris.predict(
                flower.sepalLength(), flower.sepalWidth(), flower.petalLength(), flower.petalWidth())));
    }

    /** Returns the species of several flowers in their order, at most {@link ModelSummary#maxBatch} in one call. */
    public List<Answer> classifyAll(List<Flower> flowers) throws CallFailedException {
        ArrayOfInstance batch = new ArrayOfInstance();
        flowers.stream().map(IrisClient::instance).forEach(batch.getItem()::add);
        return calls.call("predictBatch", iris ->
                iris.predictBatch(batch).getItem().stream().map(IrisClient::answer).toList());
    }

    @Override
    public ModelSummary describe() throws CallFailedException {
        ModelInfo info = calls.call("getModelInfo", Iris::getModelInfo);
        return new ModelSummary(info.getName(), info.getDescription(), info.getModelVersion(), info.getMaxBatch());
    }

    private static Instance instance(Flower flower) {
        Instance instance = new Instance();
        instance.setSepalLength(flower.sepalLength());
        instance.setSepalWidth(flower.sepalWidth());
        instance.setPetalLength(flower.petalLength());
        instance.setPetalWidth(flower.petalWidth());
        return instance;
    }

    private static Answer answer(Prediction prediction) {
        List<Score> scores = prediction.getProbabilities().getItem().stream()
                .map(one -> new Score(one.getLabel(), one.getScore()))
                .toList();
        return new Answer(scores, prediction.getModelVersion());
    }
}
