package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.soapsvc.client.iris.soap12.InvalidInput_Exception;
import org.soapsvc.client.iris.soap12.Iris;
import org.soapsvc.client.iris.soap12.IrisService;
import org.soapsvc.client.iris.soap12.Prediction;

class IrisSoap12IT {

    private final Iris iris = Server.at("/soap12/iris/v1", new IrisService().getIrisSoap12Port());

    @Test
    void predict_overSoap12_answersAlike() throws Exception {
        Prediction prediction = iris.predict(5.1, 3.5, 1.4, 0.2);

        assertEquals("setosa", prediction.getProbabilities().getItem().get(0).getLabel());
    }

    @Test
    void predict_ofNaNOverSoap12_isTheSameTypedFault() {
        InvalidInput_Exception e =
                assertThrows(InvalidInput_Exception.class, () -> iris.predict(5.1, 3.5, Double.NaN, 0.2));

        assertEquals("petalLength", e.getFaultInfo().getField());
    }
}
