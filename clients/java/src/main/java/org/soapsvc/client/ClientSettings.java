package org.soapsvc.client;

import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Where the services are and how they are called, as the surroundings say.
 *
 * <p>A name is looked up as a system property ({@code soapsvc.url}), then as an environment variable
 * ({@code SOAPSVC_URL}), then where the caller says, as in a web application's context parameters; else the default
 * counts.
 *
 * <table>
 * <caption>names</caption>
 * <tr><td>{@code soapsvc.url}</td><td>the server, {@code http://localhost:8080}</td></tr>
 * <tr><td>{@code soapsvc.MODEL.url}</td><td>one model's endpoint, if not {@code URL/soap/MODEL/v1}</td></tr>
 * <tr><td>{@code soapsvc.connect.timeout.ms}</td><td>until a connection stands, 5000</td></tr>
 * <tr><td>{@code soapsvc.read.timeout.ms}</td><td>the longest silence of the server, 60000</td></tr>
 * <tr><td>{@code soapsvc.user}, {@code soapsvc.password}</td><td>for HTTP Basic; none</td></tr>
 * </table>
 */
public final class ClientSettings {

    private final UnaryOperator<String> properties;
    private final UnaryOperator<String> environment;
    private final UnaryOperator<String> others;

    /**
     * Makes settings that fall back on a source of the caller's.
     *
     * @param others a value for a name such as soapsvc.url, or null; {@code servletContext::getInitParameter}
     */
    public ClientSettings(UnaryOperator<String> others) {
        this(System::getProperty, System::getenv, others);
    }

    ClientSettings(
            UnaryOperator<String> properties, UnaryOperator<String> environment, UnaryOperator<String> others) {
        this.properties = properties;
        this.environment = environment;
        this.others = others;
    }

    /** Returns settings of system properties and environment variables alone. */
    public static ClientSettings ofTheProcess() {
        return new ClientSettings(name -> null);
    }

    /**
     * Returns the endpoint of a model's service.
     *
     * @throws IllegalArgumentException if a value is no URL, or no time; the message names it
     */
    public ServiceEndpoint endpoint(String model) {
        String server = find("soapsvc.url").orElse("http://localhost:8080").replaceFirst("/+$", "");
        String address = find("soapsvc." + model + ".url").orElse(server + "/soap/" + model + "/v1");
        return new ServiceEndpoint(
                http(address), time("soapsvc.connect.timeout.ms", 5_000), time("soapsvc.read.timeout.ms", 60_000),
                find("soapsvc.user").map(this::basic).orElseGet(Credentials::none));
    }

    private Credentials basic(String user) {
        return Credentials.basic(user, find("soapsvc.password").orElse(""));
    }

    private Duration time(String name, int otherwise) {
        String value = find(name).orElse(String.valueOf(otherwise));
        if (!value.matches("[1-9][0-9]{0,8}")) {
            throw new IllegalArgumentException(name + ": expected milliseconds, received '" + value + "'");
        }
        return Duration.ofMillis(Long.parseLong(value));
    }

    private static URI http(String address) {
        if (!address.matches("https?://[^\\s/]+(/\\S*)?")) {
            throw new IllegalArgumentException("expected an http URL of the service, received '" + address + "'");
        }
        return URI.create(address);
    }

    private Optional<String> find(String name) {
        String variable = name.toUpperCase(Locale.ROOT).replace('.', '_');
        return Stream.of(properties.apply(name), environment.apply(variable), others.apply(name))
                .filter(value -> value != null && !value.isBlank())
                .map(String::strip)
                .findFirst();
    }
}
