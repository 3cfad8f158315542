package org.soapsvc.client;

import org.soapsvc.client.chat.Answer;
import org.soapsvc.client.chat.Chat;
import org.soapsvc.client.chat.ChatService;
import org.soapsvc.client.chat.ModelInfo;

/**
 * A small conversation; the service remembers it, the caller keeps its id. Safe to use from many threads; keep one for
 * the whole program.
 */
public final class ChatClient implements ModelClient {

    private final ModelCalls<Chat> calls;

    /** Makes a client without calling the service: the contract is in the archive. */
    public ChatClient(ServiceEndpoint endpoint) {
        ChatService service = new ChatService();
        calls = new ModelCalls<>("chat", () -> endpoint.applyTo(service.getChatPort()));
    }

    /** Returns the answer to a question. sessionId: that of the reply before, null for the first question. */
    public Reply reply(String sessionId, String question) throws CallFailedException {
        return calls.call("reply", chat -> reply(chat.reply(sessionId, question)));
    }

    @Override
    public ModelSummary describe() throws CallFailedException {
        ModelInfo info = calls.call("getModelInfo", Chat::getModelInfo);
        return new ModelSummary(info.getName(), info.getDescription(), info.getModelVersion(), info.getMaxBatch());
    }

    private static Reply reply(Answer answer) {
        Reply.State state = Reply.State.valueOf(answer.getSessionState().name());
        return new Reply(
                answer.getSessionId(), state, answer.getSentence(), answer.getConfidence(), answer.getModelVersion());
    }
}
