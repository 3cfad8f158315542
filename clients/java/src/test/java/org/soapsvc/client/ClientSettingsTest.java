package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClientSettingsTest {

    private final Map<String, String> properties = new HashMap<>();
    private final Map<String, String> environment = new HashMap<>();
    private final Map<String, String> parameters = new HashMap<>();
    private final ClientSettings settings = new ClientSettings(properties::get, environment::get, parameters::get);

    @Test
    void endpoint_ofNothingGiven_isTheDefault() {
        ServiceEndpoint endpoint = settings.endpoint("iris");

        assertEquals(URI.create("http://localhost:8080/soap/iris/v1"), endpoint.address());
        assertEquals(Duration.ofSeconds(5), endpoint.connectTimeout());
        assertEquals(Duration.ofSeconds(60), endpoint.readTimeout());
    }

    @Test
    void property_goesBeforeVariable_andThatBeforeParameter() {
        parameters.put("soapsvc.url", "http://parameter/");
        assertEquals(URI.create("http://parameter/soap/iris/v1"), settings.endpoint("iris").address());

        environment.put("SOAPSVC_URL", "http://variable");
        assertEquals(URI.create("http://variable/soap/iris/v1"), settings.endpoint("iris").address());

        properties.put("soapsvc.url", "http://property/x");
        assertEquals(URI.create("http://property/x/soap/iris/v1"), settings.endpoint("iris").address());
    }

    @Test
    void urlOfOneModel_countsForThatModelAlone() {
        environment.put("SOAPSVC_DIGITS_URL", "https://gateway/pictures");

        assertEquals(URI.create("https://gateway/pictures"), settings.endpoint("digits").address());
        assertEquals(URI.create("http://localhost:8080/soap/iris/v1"), settings.endpoint("iris").address());
    }

    @ParameterizedTest
    @CsvSource({
        "soapsvc.url, localhost:8080", "soapsvc.url, ftp://host", "soapsvc.read.timeout.ms, 1s",
        "soapsvc.read.timeout.ms, 0", "soapsvc.connect.timeout.ms, -5"
    })
    void wrongValue_isNamed(String name, String value) {
        properties.put(name, value);

        Exception e = assertThrows(IllegalArgumentException.class, () -> settings.endpoint("iris"));

        assertTrue(e.getMessage().contains("'" + value), e.getMessage());
    }
}
