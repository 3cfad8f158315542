package org.soapsvc.web;

import jakarta.servlet.ServletContext;
import java.util.LinkedHashMap;
import java.util.Map;
import org.soapsvc.client.ChatClient;
import org.soapsvc.client.ClientSettings;
import org.soapsvc.client.DigitReaderClient;
import org.soapsvc.client.DigitsClient;
import org.soapsvc.client.FacesClient;
import org.soapsvc.client.IrisClient;
import org.soapsvc.client.LanguageClient;
import org.soapsvc.client.ModelClient;

/** The clients of the application, one for each model; made when it starts, used by every request. */
record Models(
        IrisClient iris, DigitsClient digits, LanguageClient language, ChatClient chat, DigitReaderClient digitReader,
        FacesClient faces) {

    private static final String ATTRIBUTE = Models.class.getName();

    static Models of(ClientSettings settings) {
        return new Models(
                new IrisClient(settings.endpoint("iris")), new DigitsClient(settings.endpoint("digits")),
                new LanguageClient(settings.endpoint("language")), new ChatClient(settings.endpoint("chat")),
                new DigitReaderClient(settings.endpoint("digit-reader")),
                new FacesClient(settings.endpoint("faces")));
    }

    /** Returns the clients that {@link #keepIn} put there. */
    static Models in(ServletContext context) {
        return (Models) context.getAttribute(ATTRIBUTE);
    }

    void keepIn(ServletContext context) {
        context.setAttribute(ATTRIBUTE, this);
    }

    /** Returns the clients by the names of their pages, in the order in which they are shown. */
    Map<String, ModelClient> byPage() {
        Map<String, ModelClient> clients = new LinkedHashMap<>();
        clients.put("iris", iris);
        clients.put("digits", digits);
        clients.put("language", language);
        clients.put("chat", chat);
        clients.put("digit-reader", digitReader);
        clients.put("faces", faces);
        return clients;
    }
}
