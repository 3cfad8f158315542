package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.handler.MessageContext;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.soapsvc.client.language.ArrayOfInstance;
import org.soapsvc.client.language.Instance;
import org.soapsvc.client.language.Language;
import org.soapsvc.client.language.LanguageService;

/** JAX-WS RI compresses and inflates by headers alone; CXF has a feature of its own, GZIPFeature. */
class GzipIT {

    private final Language language = Server.at("/soap/language/v1", new LanguageService().getLanguagePort());
    private final BindingProvider provider = (BindingProvider) language;

    @Test
    void compressedRequest_getsACompressedAnswer() throws Exception {
        provider.getRequestContext().put(
                MessageContext.HTTP_REQUEST_HEADERS,
                Map.of("Content-Encoding", List.of("gzip"), "Accept-Encoding", List.of("gzip")));

        assertEquals(Collections.nCopies(100, "de"), languagesOfAHundredTexts());
        assertEquals(List.of("gzip"), answered("Content-Encoding"));
    }

    @Test
    void requestThatAsksForNoCompression_getsAPlainAnswer() throws Exception {
        assertEquals(Collections.nCopies(100, "de"), languagesOfAHundredTexts());
        assertEquals(null, answered("Content-Encoding"));
    }

    private List<String> languagesOfAHundredTexts() throws Exception {
        ArrayOfInstance batch = new ArrayOfInstance();
        for (int i = 0; i < 100; i++) {
            Instance instance = new Instance();
            instance.setText("Guten Morgen, wie geht es Ihnen?");
            batch.getItem().add(instance);
        }
        return language.predictBatch(batch).getItem().stream()
                .map(one -> one.getProbabilities().getItem().get(0).getLabel())
                .toList();
    }

    @SuppressWarnings("unchecked")
    private List<String> answered(String header) {
        var headers = (Map<String, List<String>>)
                provider.getResponseContext().get(MessageContext.HTTP_RESPONSE_HEADERS);
        return headers.get(header);
    }
}
