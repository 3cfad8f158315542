package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertLinesMatch;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.soapsvc.client.iris.IrisService;

class QuickstartIT {

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @Test
    void ask_ofASetosa_printsSpeciesWithScores() {
        quickstart("/soap/iris/v1").ask(5.1, 3.5, 1.4, 0.2);

        assertLinesMatch(
                List.of("setosa +0\\.99\\d+", "versicolor +0\\.00\\d+", "virginica +0\\.00\\d+",
                        "answered by version 1 of the model"),
                lines());
    }

    @Test
    void ask_ofNaN_printsASentence() {
        quickstart("/soap/iris/v1").ask(5.1, 3.5, Double.NaN, 0.2);

        assertEquals(List.of("petalLength must be a finite number, but was NaN."), lines());
    }

    @Test
    void ask_atAnUnknownAddress_printsASentence() {
        quickstart("/soap/nothing-here/v1").ask(5.1, 3.5, 1.4, 0.2);

        assertLinesMatch(List.of("The service did not answer: .*404.*"), lines());
    }

    private Quickstart quickstart(String path) {
        PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
        return new Quickstart(Server.at(path, new IrisService().getIrisPort()), out);
    }

    private List<String> lines() {
        return printed.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
