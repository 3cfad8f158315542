package org.soapsvc.client;

import java.util.List;

/**
 * A model's answer about one instance.
 *
 * @param scores the likeliest first, never empty; a model may leave out unlikely ones
 * @param modelVersion the version that answered
 */
public record Answer(List<Score> scores, long modelVersion) {

    /** Keeps a copy of the scores. */
    public Answer {
        scores = List.copyOf(scores);
    }

    /** The likeliest label. */
    public Score best() {
        return scores.get(0);
    }
}
