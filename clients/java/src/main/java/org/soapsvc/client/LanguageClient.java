package org.soapsvc.client;

import java.util.List;
import org.soapsvc.client.language.ArrayOfInstance;
import org.soapsvc.client.language.Instance;
import org.soapsvc.client.language.Language;
import org.soapsvc.client.language.LanguageService;
import org.soapsvc.client.language.ModelInfo;
import org.soapsvc.client.language.Prediction;

/** The language of texts, as ISO 639-1 code. Safe to use from many threads; keep one for the whole program. */
public final class LanguageClient implements ModelClient {

    private final ModelCalls<Language> calls;

    /** Makes a client without calling the service: the contract is in the archive. */
    public LanguageClient(ServiceEndpoint endpoint) {
        LanguageService service = new LanguageService();
        calls = new ModelCalls<>("language", () -> endpoint.applyTo(service.getLanguagePort()));
    }

    /** Returns the likeliest languages of a text. */
    public Answer classify(String text) throws CallFailedException {
        return calls.call("predict", language -> answer(language.predict(text)));
    }

    /** Returns the languages of several texts in their order, at most {@link ModelSummary#maxBatch} in one call. */
    public List<Answer> classifyAll(List<String> texts) throws CallFailedException {
        ArrayOfInstance batch = new ArrayOfInstance();
        texts.stream().map(LanguageClient::instance).forEach(batch.getItem()::add);
        return calls.call("predictBatch", language ->
                language.predictBatch(batch).getItem().stream().map(LanguageClient::answer).toList());
    }

    @Override
    public ModelSummary describe() throws CallFailedException {
        ModelInfo info = calls.call("getModelInfo", Language::getModelInfo);
        return new ModelSummary(info.getName(), info.getDescription(), info.getModelVersion(), info.getMaxBatch());
    }

    private static Instance instance(String text) {
        Instance instance = new Instance();
        instance.setText(text);
        return instance;
    }

    private static Answer answer(Prediction prediction) {
        List<Score> scores = prediction.getProbabilities().getItem().stream()
                .map(one -> new Score(one.getLabel(), one.getScore()))
                .toList();
        return new Answer(scores, prediction.getModelVersion());
    }
}
