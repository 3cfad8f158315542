package org.soapsvc.client;

import jakarta.xml.ws.soap.MTOMFeature;
import java.util.List;
import org.soapsvc.client.digitreader.DigitReader;
import org.soapsvc.client.digitreader.DigitReaderService;
import org.soapsvc.client.digitreader.FoundDigit;
import org.soapsvc.client.digitreader.ModelInfo;
import org.soapsvc.client.digitreader.Prediction;

/** Which digits stand in a photograph, and where. Safe to use from many threads; keep one for the whole program. */
public final class DigitReaderClient implements ModelClient {

    private final ModelCalls<DigitReader> calls;

    /** Makes a client without calling the service; pictures travel as attachments (MTOM), a third smaller. */
    public DigitReaderClient(ServiceEndpoint endpoint) {
        DigitReaderService service = new DigitReaderService();
        calls = new ModelCalls<>(
                "digit-reader", () -> endpoint.applyTo(service.getDigitReaderPort(new MTOMFeature())));
    }

    /**
     * What was read.
     *
     * @param text all digits, line by line; empty when there are none
     * @param digits each of them with its place, in the same order
     */
    public record Reading(String text, List<Place> digits, long modelVersion) {
    }

    /** A digit and where it stands. */
    public record Place(Score digit, Box box) {
    }

    /** Reads a picture. picture: the bytes of a PNG or JPEG file. */
    public Reading read(byte[] picture) throws CallFailedException {
        return calls.call("predict", reader -> reading(reader.predict(picture)));
    }

    @Override
    public ModelSummary describe() throws CallFailedException {
        ModelInfo info = calls.call("getModelInfo", DigitReader::getModelInfo);
        return new ModelSummary(info.getName(), info.getDescription(), info.getModelVersion(), info.getMaxBatch());
    }

    private static Reading reading(Prediction prediction) {
        List<Place> places = prediction.getDigits().getItem().stream().map(DigitReaderClient::place).toList();
        return new Reading(prediction.getText(), places, prediction.getModelVersion());
    }

    private static Place place(FoundDigit found) {
        Score digit = new Score(found.getDigit().getItem().get(0).getLabel(), found.getScore());
        var box = found.getBox();
        return new Place(digit, new Box(box.getX(), box.getY(), box.getWidth(), box.getHeight()));
    }
}
