package org.soapsvc.web;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.soapsvc.client.CallFailedException;
import org.soapsvc.client.ChatClient;
import org.soapsvc.client.Reply;

/** What one visitor and the model said; stands in the HTTP session. Safe to use from several windows at once. */
final class Conversation implements Serializable {

    private static final long serialVersionUID = 1L;
    private static final int MOST_TURNS = 50;

    private final ArrayList<Turn> turns = new ArrayList<>();
    private String sessionId;

    /**
     * A question and its answer as the page shows them.
     *
     * @param began whether the model knew nothing of what was said before
     */
    public record Turn(String question, String sentence, boolean began) implements Serializable {
    }

    /** Asks the model, and keeps what it answered and the id to go on with. */
    synchronized void say(String question, ChatClient chat) throws CallFailedException {
        Reply reply = chat.reply(sessionId, question);
        sessionId = reply.sessionId();
        boolean began = reply.state() == Reply.State.EXPIRED || reply.state() == Reply.State.RESET;
        turns.add(new Turn(question, reply.sentence(), began));
        if (turns.size() > MOST_TURNS) {
            turns.remove(0);
        }
    }

    /** Returns the last turns, oldest first. */
    synchronized List<Turn> turns() {
        return List.copyOf(turns);
    }
}
