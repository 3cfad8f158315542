package org.soapsvc.client;

/**
 * What came back in a conversation.
 *
 * @param sessionId to be sent with the next question; whoever has it can go on with the conversation
 * @param state what became of the session that was asked for
 * @param sentence the answer
 * @param confidence how sure the model is of what was asked, 0 to 1
 * @param modelVersion the version of the model that answered
 */
public record Reply(String sessionId, State state, String sentence, double confidence, long modelVersion) {

    /** What became of a session. */
    public enum State {
        /** None was asked for: a new one. */
        STARTED,
        /** The one that was asked for. */
        CONTINUED,
        /** A new one: that which was asked for is gone. */
        EXPIRED,
        /** The one that was asked for, begun anew: the model has changed. */
        RESET
    }
}
