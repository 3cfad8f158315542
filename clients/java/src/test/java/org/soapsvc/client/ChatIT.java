package org.soapsvc.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.soapsvc.client.chat.Answer;
import org.soapsvc.client.chat.Chat;
import org.soapsvc.client.chat.ChatService;
import org.soapsvc.client.chat.InvalidInput_Exception;
import org.soapsvc.client.chat.SessionState;

class ChatIT {

    private final Chat chat = Server.at("/soap/chat/v1", new ChatService().getChatPort());
    private final ChatClient client = new ChatClient(Server.endpoint("/soap/chat/v1"));

    @Test
    void reply_withTheIdOfTheAnswerBefore_goesOn() throws Exception {
        Answer first = chat.reply(null, "My name is Zoë");
        Answer second = chat.reply(first.getSessionId(), "What is 3 plus 4?");
        Answer third = chat.reply(second.getSessionId(), "What is my name?");

        assertEquals(SessionState.STARTED, first.getSessionState());
        assertEquals(SessionState.CONTINUED, third.getSessionState());
        assertEquals("That is 7.", second.getSentence());
        assertEquals("Your name is Zoë.", third.getSentence());
    }

    @Test
    void reply_withAnIdThatIsNone_startsAnewAndSaysSo() throws Exception {
        Answer answer = chat.reply("none", "What is my name?");

        assertEquals(SessionState.EXPIRED, answer.getSessionState());
        assertNotEquals("none", answer.getSessionId());
    }

    @Test
    void reply_toTooLongAQuestion_isInvalidInput() {
        InvalidInput_Exception thrown =
                assertThrows(InvalidInput_Exception.class, () -> chat.reply(null, "x".repeat(1_000_000)));

        assertEquals("question", thrown.getFaultInfo().getField());
    }

    @Test
    void client_answersWithRecords() throws Exception {
        Reply first = client.reply(null, "call me Ada");
        Reply second = client.reply(first.sessionId(), "what is my name");

        assertEquals(Reply.State.STARTED, first.state());
        assertEquals(Reply.State.CONTINUED, second.state());
        assertEquals("Your name is Ada.", second.sentence());
        assertEquals("chat", client.describe().name());
    }
}
