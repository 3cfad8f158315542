package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import jakarta.xml.ws.soap.AddressingFeature;
import jakarta.xml.ws.soap.MTOMFeature;
import org.junit.jupiter.api.Test;
import org.soapsvc.client.digits.DigitsService;
import org.soapsvc.client.iris.InvalidInput_Exception;
import org.soapsvc.client.iris.Iris;
import org.soapsvc.client.iris.IrisService;

/** WS-Addressing headers, required: the stack refuses an answer without them, or with another action. */
class AddressingIT {

    private final AddressingFeature required = new AddressingFeature(true, true);
    private final Iris iris = Server.at("/soap/iris/v1", new IrisService().getIrisPort(required));

    @Test
    void answer_carriesWhatTheStackExpects() throws Exception {
        assertEquals("setosa", iris.predict(5.1, 3.5, 1.4, 0.2).getProbabilities().getItem().get(0).getLabel());
        assertEquals("iris", iris.getModelInfo().getName());
    }

    @Test
    void typedFault_arrivesTyped() {
        InvalidInput_Exception e =
                assertThrows(InvalidInput_Exception.class, () -> iris.predict(5.1, 3.5, Double.NaN, 0.2));

        assertEquals("petalLength", e.getFaultInfo().getField());
    }

    @Test
    void addressing_goesWithAttachments() throws Exception {
        var digits = Server.at("/soap/digits/v1", new DigitsService().getDigitsPort(required, new MTOMFeature()));

        assertEquals(
                "1", digits.predict(Pictures.sampleOfOne()).getProbabilities().getItem().get(0).getLabel());
    }
}
