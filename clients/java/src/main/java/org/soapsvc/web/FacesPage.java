package org.soapsvc.web;

import jakarta.servlet.annotation.MultipartConfig;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import java.util.stream.IntStream;
import org.soapsvc.client.Answer;
import org.soapsvc.client.Box;
import org.soapsvc.client.CallFailedException;
import org.soapsvc.client.FacesClient.Detection;
import org.soapsvc.client.FacesClient.Face;
import org.soapsvc.client.FacesClient.Point;
import org.soapsvc.client.Score;

/** A photograph in, the faces in it out, each in its box with five points and an emotion. */
@WebServlet("/faces")
@MultipartConfig(
        fileSizeThreshold = 1 << 20,
        maxFileSize = Upload.MAX_BYTES,
        maxRequestSize = Upload.MAX_BYTES + (1 << 20))
public final class FacesPage extends PhotographPage {

    private static final long serialVersionUID = 1L;

    /** Makes the page. */
    public FacesPage() {
        super("faces");
    }

    /**
     * A face as the page draws it. Lengths are in pixels of the picture.
     *
     * @param emotion its number and its likeliest emotion, as 1 happy
     */
    public record Drawn(Box box, List<Point> points, Score emotion) {

        /** How high the letters are: as large as the face allows. */
        public double letters() {
            return box.width() / 5;
        }

        /** How large a point is. */
        public double radius() {
            return box.width() / 40;
        }

        /** Where the letters stand: over the box, or in it where the picture ends. */
        public double baseline() {
            return box.y() > 1.2 * letters() ? box.y() - 0.2 * letters() : box.y() + letters();
        }
    }

    @Override
    Answer find(byte[] picture, HttpServletRequest request, Models models) throws CallFailedException {
        Detection detection = models.faces().find(picture);
        List<Drawn> faces = IntStream.range(0, detection.faces().size())
                .mapToObj(index -> drawn(index + 1, detection.faces().get(index)))
                .toList();
        request.setAttribute("faces", faces);
        return new Answer(faces.stream().map(Drawn::emotion).toList(), detection.modelVersion());
    }

    private static Drawn drawn(int number, Face face) {
        Score likeliest = face.emotions().get(0);
        Score numbered = new Score(number + " " + likeliest.label(), likeliest.probability());
        return new Drawn(face.box(), face.points(), numbered);
    }
}
