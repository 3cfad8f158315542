package org.soapsvc.client;

import jakarta.xml.ws.BindingProvider;
import java.util.Map;

/**
 * What a caller proves itself with: the one place that puts credentials on a port.
 *
 * <p>{@link #basic} is HTTP Basic. WS-Security is a lambda that adds a handler, which writes the header block:
 *
 * <pre>{@code
 * Credentials token = port -> {
 *     var chain = port.getBinding().getHandlerChain();
 *     chain.add(new SecurityHeader(secret));      // a SOAPHandler<SOAPMessageContext>
 *     port.getBinding().setHandlerChain(chain);   // the chain given out was a copy
 * };
 * }</pre>
 */
@FunctionalInterface
public interface Credentials {

    /** Puts the credentials on a port, before its first call; called once for each port. */
    void applyTo(BindingProvider port);

    /** Returns credentials that leave a port as it is. */
    static Credentials none() {
        return port -> { };
    }

    /** Returns HTTP Basic credentials, sent with every call; over plain HTTP everybody on the way can read them. */
    static Credentials basic(String user, String password) {
        return port -> port.getRequestContext().putAll(Map.of(
                BindingProvider.USERNAME_PROPERTY, user, BindingProvider.PASSWORD_PROPERTY, password));
    }
}
