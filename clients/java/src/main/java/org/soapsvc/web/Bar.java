package org.soapsvc.web;

import java.util.List;
import java.util.Locale;
import org.soapsvc.client.Answer;
import org.soapsvc.client.Score;

/**
 * One bar of an answer's chart.
 *
 * @param percent how long the bar is, as 93.1, for SVG
 * @param text what stands beside it, as 93.1 %
 */
public record Bar(String label, String percent, String text) {

    /** Returns an answer's bars, the likeliest first. */
    static List<Bar> of(Answer answer) {
        return answer.scores().stream().map(score -> bar(score.label(), score)).toList();
    }

    static Bar bar(String label, Score score) {
        String percent = String.format(Locale.ROOT, "%.1f", 100 * score.probability());
        return new Bar(label, percent, percent + " %");
    }
}
