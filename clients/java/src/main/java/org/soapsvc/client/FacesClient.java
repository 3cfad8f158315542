package org.soapsvc.client;

import jakarta.xml.ws.soap.MTOMFeature;
import java.util.List;
import org.soapsvc.client.faces.DetectedFace;
import org.soapsvc.client.faces.Faces;
import org.soapsvc.client.faces.FacesService;
import org.soapsvc.client.faces.Landmarks;
import org.soapsvc.client.faces.ModelInfo;
import org.soapsvc.client.faces.Prediction;

/**
 * Faces in a photograph, and the emotion that each shows. The model is not bundled, {@code make example-faces} makes it.
 * Safe to use from many threads; keep one for the whole program.
 */
public final class FacesClient implements ModelClient {

    private final ModelCalls<Faces> calls;

    /** Makes a client without calling the service; pictures travel as attachments (MTOM), a third smaller. */
    public FacesClient(ServiceEndpoint endpoint) {
        FacesService service = new FacesService();
        calls = new ModelCalls<>("faces", () -> endpoint.applyTo(service.getFacesPort(new MTOMFeature())));
    }

    /** What was found, the surest face first; no faces when there are none. */
    public record Detection(List<Face> faces, long modelVersion) {
    }

    /**
     * A face.
     *
     * @param score how sure the model is that it is one, 0 to 1
     * @param points both eyes, the nose and both corners of the mouth
     * @param emotions the likeliest first
     */
    public record Face(Box box, double score, List<Point> points, List<Score> emotions) {
    }

    /** A place in the picture, in pixels. */
    public record Point(double x, double y) {
    }

    /** Looks for faces. picture: the bytes of a PNG or JPEG file. */
    public Detection find(byte[] picture) throws CallFailedException {
        return calls.call("predict", faces -> detection(faces.predict(picture)));
    }

    @Override
    public ModelSummary describe() throws CallFailedException {
        ModelInfo info = calls.call("getModelInfo", Faces::getModelInfo);
        return new ModelSummary(info.getName(), info.getDescription(), info.getModelVersion(), info.getMaxBatch());
    }

    private static Detection detection(Prediction prediction) {
        List<Face> faces = prediction.getFaces().getItem().stream().map(FacesClient::face).toList();
        return new Detection(faces, prediction.getModelVersion());
    }

    private static Face face(DetectedFace found) {
        var box = found.getBox();
        return new Face(
                new Box(box.getX(), box.getY(), box.getWidth(), box.getHeight()), found.getScore(),
                points(found.getLandmarks()),
                found.getEmotion().getItem().stream().map(one -> new Score(one.getLabel(), one.getScore())).toList());
    }

    private static List<Point> points(Landmarks found) {
        return List.of(
                new Point(found.getLeftEyeX(), found.getLeftEyeY()),
                new Point(found.getRightEyeX(), found.getRightEyeY()),
                new Point(found.getNoseX(), found.getNoseY()),
                new Point(found.getMouthLeftX(), found.getMouthLeftY()),
                new Point(found.getMouthRightX(), found.getMouthRightY()));
    }
}
