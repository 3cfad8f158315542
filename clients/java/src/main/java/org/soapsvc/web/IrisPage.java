package org.soapsvc.web;

import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.soapsvc.client.Answer;
import org.soapsvc.client.CallFailedException;
import org.soapsvc.client.Flower;

/** Four measurements in, the flower's species out. */
@WebServlet("/iris")
public final class IrisPage extends Page {

    private static final long serialVersionUID = 1L;
    private static final Map<String, String> FIELDS = new LinkedHashMap<>();

    static {
        FIELDS.put("sepalLength", "Sepal length");
        FIELDS.put("sepalWidth", "Sepal width");
        FIELDS.put("petalLength", "Petal length");
        FIELDS.put("petalWidth", "Petal width");
    }

    /** Makes the page. */
    public IrisPage() {
        super("iris", FIELDS);
    }

    @Override
    Answer ask(HttpServletRequest request, Models models) throws InvalidForm, CallFailedException {
        List<Problem> problems = new ArrayList<>();
        double[] values = FIELDS.keySet().stream()
                .mapToDouble(field -> centimetres(field, request.getParameter(field), problems))
                .toArray();
        if (!problems.isEmpty()) {
            throw new InvalidForm(problems);
        }
        return models.iris().classify(new Flower(values[0], values[1], values[2], values[3]));
    }

    /** Returns a length, NaN when there is none: then the problems say why. */
    private static double centimetres(String field, String text, List<Problem> problems) {
        String given = text == null ? "" : text.strip();
        if (given.matches("\\+?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d{1,3})?")) {
            return Double.parseDouble(given);
        }
        String received = given.isEmpty() ? "nothing" : "'" + given + "'";
        problems.add(new Problem(field, "%s: expected centimetres as a number of 0 or more, received %s."
                .formatted(FIELDS.get(field), received)));
        return Double.NaN;
    }
}
