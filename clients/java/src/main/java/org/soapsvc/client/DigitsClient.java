package org.soapsvc.client;

import jakarta.xml.ws.soap.MTOMFeature;
import java.util.List;
import org.soapsvc.client.digits.ArrayOfInstance;
import org.soapsvc.client.digits.Digits;
import org.soapsvc.client.digits.DigitsService;
import org.soapsvc.client.digits.Instance;
import org.soapsvc.client.digits.ModelInfo;
import org.soapsvc.client.digits.Prediction;

/** Which digit a picture shows. Safe to use from many threads; keep one for the whole program. */
public final class DigitsClient implements ModelClient {

    private final ModelCalls<Digits> calls;

    /** Makes a client without calling the service; pictures travel as attachments (MTOM), a third smaller. */
    public DigitsClient(ServiceEndpoint endpoint) {
        DigitsService service = new DigitsService();
        calls = new ModelCalls<>("digits", () -> endpoint.applyTo(service.getDigitsPort(new MTOMFeature())));
    }

    /** Returns the likeliest digits of a picture. picture: the bytes of a PNG or JPEG file. */
    public Answer classify(byte[] picture) throws CallFailedException {
        return calls.call("predict", digits -> answer(digits.predict(picture)));
    }

    /** Returns the digits of several pictures in their order, at most {@link ModelSummary#maxBatch} in one call. */
    public List<Answer> classifyAll(List<byte[]> pictures) throws CallFailedException {
        ArrayOfInstance batch = new ArrayOfInstance();
        pictures.stream().map(DigitsClient::instance).forEach(batch.getItem()::add);
        return calls.call("predictBatch", digits ->
                digits.predictBatch(batch).getItem().stream().map(DigitsClient::answer).toList());
    }

    @Override
    public ModelSummary describe() throws CallFailedException {
        ModelInfo info = calls.call("getModelInfo", Digits::getModelInfo);
        return new ModelSummary(info.getName(), info.getDescription(), info.getModelVersion(), info.getMaxBatch());
    }

    private static Instance instance(byte[] picture) {
        Instance instance = new Instance();
        instance.setImage(picture);
        return instance;
    }

    private static Answer answer(Prediction prediction) {
        List<Score> scores = prediction.getProbabilities().getItem().stream()
                .map(one -> new Score(one.getLabel(), one.getScore()))
                .toList();
        return new Answer(scores, prediction.getModelVersion());
    }
}
