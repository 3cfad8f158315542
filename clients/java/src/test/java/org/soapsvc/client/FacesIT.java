package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.soapsvc.client.faces.DetectedFace;
import org.soapsvc.client.faces.Faces;
import org.soapsvc.client.faces.FacesService;

class FacesIT {

    private static final Box ASTRONAUTS = new Box(92, 63, 85, 110);

    private final Faces faces = Server.at("/soap/faces/v1", new FacesService().getFacesPort());
    private final FacesClient client = new FacesClient(Server.endpoint("/soap/faces/v1"));

    @Test
    void predict_ofAPhotograph_answersAListOfRecords() throws Exception {
        List<DetectedFace> found = faces.predict(Pictures.face()).getFaces().getItem();

        assertEquals(1, found.size());
        assertTrue(found.get(0).getScore() > 0.99);
        assertEquals("happy", found.get(0).getEmotion().getItem().get(0).getLabel());
        assertTrue(found.get(0).getLandmarks().getLeftEyeX() < found.get(0).getLandmarks().getRightEyeX());
    }

    @Test
    void client_answersWithRecords() throws Exception {
        FacesClient.Face face = client.find(Pictures.face()).faces().get(0);

        assertEquals(ASTRONAUTS.x(), face.box().x(), 4);
        assertEquals(ASTRONAUTS.y(), face.box().y(), 4);
        assertEquals(ASTRONAUTS.width(), face.box().width(), 8);
        assertEquals(5, face.points().size());
        assertTrue(face.points().stream().allMatch(point -> isIn(face.box(), point)), face::toString);
        assertEquals("happy", face.emotions().get(0).label());
        assertEquals("faces", client.describe().name());
    }

    @Test
    void client_ofAPictureWithoutAFace_findsNone() throws Exception {
        assertEquals(List.of(), client.find(Pictures.blank(300, 200)).faces());
    }

    @Test
    void client_ofAText_isInvalidInput() {
        byte[] text = "no picture".getBytes(StandardCharsets.US_ASCII);

        CallFailedException e = assertThrows(CallFailedException.class, () -> client.find(text));

        assertEquals("image", assertInstanceOf(Failure.InvalidInput.class, e.failure()).field());
    }

    @Test
    void modelThatIsNotServed_isModelNotFound() {
        FacesClient elsewhere = new FacesClient(Server.endpoint("/soap/no-such-model/v1"));

        CallFailedException e = assertThrows(CallFailedException.class, () -> elsewhere.find(Pictures.face()));

        assertInstanceOf(Failure.ModelNotFound.class, e.failure(), () -> e.failure().toString());
    }

    private static boolean isIn(Box box, FacesClient.Point point) {
        return point.x() > box.x() && point.x() < box.x() + box.width()
                && point.y() > box.y() && point.y() < box.y() + box.height();
    }
}
