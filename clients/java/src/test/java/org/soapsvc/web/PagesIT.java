package org.soapsvc.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.soapsvc.client.Pictures;
import org.soapsvc.run.Running;

/** The pages of the WAR in a Tomcat, over HTTP. */
class PagesIT {

    private static final String SCRIPT = "<script>alert('x')</script>";

    private final Browser browser = new Browser(Running.web());

    @Test
    void index_showsWhichServicesAnswer() {
        HttpResponse<String> page = browser.get("/");

        assertEquals(200, page.statusCode());
        assertEquals(6, count(page, "Answers, version 1"));
        assertTrue(page.body().contains("Species of an iris flower from four measurements"), page::body);
    }

    @Test
    void iris_ofASetosa_drawsBarsAndKeepsTheNumbers() {
        HttpResponse<String> page = browser.post("/iris", flower("5.1", "3.5", "1.4", "0.2"));

        assertEquals(200, page.statusCode());
        assertEquals(List.of("setosa", "versicolor", "virginica"), rows(page));
        assertTrue(page.body().contains("100.0 %"), page::body);
        assertTrue(page.body().contains("value=\"5.1\""), page::body);
        assertEquals(0, count(page, "role=\"alert\""));
    }

    @ParameterizedTest
    @CsvSource({"'',nothing", "abc,'&#039;abc&#039;'", "-1,&#039;-1&#039;", "NaN,&#039;NaN&#039;"})
    void iris_ofWhatIsNoLength_namesTheFieldAndMarksIt(String text, String received) {
        HttpResponse<String> page = browser.post("/iris", flower("5.1", "3.5", text, "0.2"));

        assertEquals(400, page.statusCode());
        assertEquals(
                List.of("Petal length: expected centimetres as a number of 0 or more, received " + received + "."),
                problems(page));
        assertEquals(1, count(page, "aria-invalid"));
        assertEquals(List.of(), rows(page));
    }

    @Test
    void iris_ofSeveralWrongNumbers_namesThemAll() {
        assertEquals(4, problems(browser.post("/iris", Map.of())).size());
    }

    @Test
    void iris_ofANumberThatTheServiceRefuses_showsItsFaultAsASentence() {
        HttpResponse<String> page = browser.post("/iris", flower("5.1", "1e300", "1.4", "0.2"));

        assertEquals(400, page.statusCode());
        assertTrue(problems(page).get(0).matches("Sepal width: expected .*, received 1e\\+?300\\."), page::body);
        assertEquals(1, count(page, "aria-invalid"));
        assertTrue(page.body().contains("value=\"1e300\""), page::body);
    }

    @Test
    void language_ofAText_namesLanguagesAndKeepsTheText() {
        HttpResponse<String> page = browser.post("/language", Map.of("text", "Où est la bibliothèque ? 你好"));

        assertEquals("French", rows(page).get(0));
        assertTrue(page.body().contains("Où est la bibliothèque ? 你好</textarea>"), page::body);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  "})
    void language_ofNothing_namesTheField(String text) {
        assertEquals(
                List.of("Text: expected some words, received nothing."),
                problems(browser.post("/language", Map.of("text", text))));
    }

    @Test
    void script_inAText_isEscaped() {
        HttpResponse<String> page = browser.post("/language", Map.of("text", "</textarea>" + SCRIPT));

        assertEquals(200, page.statusCode());
        assertEquals(0, count(page, "<script>"));
        assertEquals(1, count(page, "&lt;script&gt;"));
    }

    @Test
    void script_inANumber_isEscapedInTheFieldAndInTheSentence() {
        HttpResponse<String> page = browser.post("/iris", flower("\">" + SCRIPT, "3.5", "1.4", "0.2"));

        assertEquals(0, count(page, "<script>"));
        assertEquals(2, count(page, "&lt;script&gt;"));
    }

    @Test
    void script_asADrawing_isEscaped() {
        byte[] drawing = ("data:image/png;base64,\">" + SCRIPT).getBytes(StandardCharsets.UTF_8);

        HttpResponse<String> page = browser.upload("/digits", "name=\"drawing\"", drawing);

        assertEquals(0, count(page, "<script>"));
        assertEquals(List.of("Picture: the drawing arrived broken. Draw it again."), problems(page));
    }

    @Test
    void digits_ofAnUploadedPicture_drawsBarsAndShowsIt() throws Exception {
        HttpResponse<String> page =
                browser.upload("/digits", "name=\"image\"; filename=\"1.png\"", Pictures.sampleOfOne());

        assertEquals("1", rows(page).get(0));
        assertEquals(1, count(page, "src=\"data:image/png;base64,"));
    }

    @Test
    void digits_ofADrawing_drawsBarsAndKeepsIt() throws Exception {
        String drawing = "data:image/png;base64," + Base64.getEncoder().encodeToString(Pictures.drawnZero("png"));

        HttpResponse<String> page =
                browser.upload("/digits", "name=\"drawing\"", drawing.getBytes(StandardCharsets.US_ASCII));

        assertEquals("0", rows(page).get(0));
        assertTrue(page.body().contains("value=\"" + drawing + "\""), "the drawing stays");
    }

    @Test
    void digits_ofAText_showsTheFaultAsASentence() {
        byte[] text = "no picture".getBytes(StandardCharsets.US_ASCII);

        HttpResponse<String> page = browser.upload("/digits", "name=\"image\"; filename=\"1.png\"", text);

        assertEquals(400, page.statusCode());
        assertTrue(problems(page).get(0).startsWith("Picture: expected the bytes of a PNG or JPEG"), page::body);
    }

    @Test
    void digits_ofTooLargeAFile_saysSo() {
        HttpResponse<String> page =
                browser.upload("/digits", "name=\"image\"; filename=\"1.png\"", new byte[(10 << 20) + 1]);

        assertEquals(400, page.statusCode());
        assertEquals(List.of("Picture: expected at most 10 MB, received more."), problems(page));
    }

    @Test
    void digits_ofNothing_saysSo() {
        assertEquals(
                List.of("Picture: expected a PNG or JPEG file or a drawing, received nothing."),
                problems(browser.upload("/digits", "name=\"image\"; filename=\"\"", new byte[0])));
    }

    @Test
    void chat_remembersWhatThisVisitorSaid() {
        HttpResponse<String> first = browser.post("/chat", Map.of("question", "My name is Zoë"));
        browser.post("/chat", Map.of("question", "What is 3 plus 4?"));
        HttpResponse<String> third = browser.post("/chat", Map.of("question", "What is my name?"));
        HttpResponse<String> other = new Browser(Running.web()).post("/chat", Map.of("question", "What is my name?"));

        assertEquals(List.of("Nice to meet you, Zoë."), sentences(first));
        assertEquals(List.of("Nice to meet you, Zoë.", "That is 7.", "Your name is Zoë."), sentences(third));
        assertEquals(List.of("You have not told me your name yet."), sentences(other));
        assertEquals(3, sentences(browser.get("/chat")).size());
    }

    @Test
    void chat_keepsItsIdInTheSessionAndTheSessionInACookieOfNoScript() {
        HttpResponse<String> page = browser.post("/chat", Map.of("question", "hello"));

        String cookie = page.headers().firstValue("Set-Cookie").orElseThrow();
        assertTrue(cookie.contains("HttpOnly"), cookie);
        assertFalse(page.body().contains("sessionId"), page::body);
        assertTrue(new Browser(Running.web()).get("/chat").headers().firstValue("Set-Cookie").isEmpty());
    }

    @Test
    void chat_startsAnew() {
        browser.post("/chat", Map.of("question", "My name is Zoë"));

        assertEquals(List.of(), sentences(browser.post("/chat", Map.of("anew", "1"))));
        assertEquals(
                List.of("You have not told me your name yet."),
                sentences(browser.post("/chat", Map.of("question", "What is my name?"))));
    }

    @Test
    void chat_escapesQuestionAndReply() {
        browser.post("/chat", Map.of("question", SCRIPT));
        HttpResponse<String> page = browser.post("/chat", Map.of("question", "What did I say?"));

        assertTrue(sentences(page).get(1).startsWith("You said: &lt;script&gt;"), page::body);
        assertEquals(0, count(page, "<script>"));
    }

    @Test
    void chat_ofNothing_namesTheField() {
        assertEquals(
                List.of("Question: expected some words, received nothing."),
                problems(browser.post("/chat", Map.of("question", " "))));
    }

    @Test
    void digitReader_ofAPhotograph_drawsABoxAroundEachDigit() throws Exception {
        HttpResponse<String> page =
                browser.upload("/digit-reader", "name=\"image\"; filename=\"scene.jpg\"", Pictures.scene());

        assertEquals(200, page.statusCode());
        assertTrue(rows(page).size() >= 3, page::body);
        assertEquals(rows(page).size(), count(page, "<rect x="));
        assertTrue(page.body().matches("(?s).* viewBox=\"0 0 \\d+ \\d+\".*"), page::body);
        assertTrue(page.body().contains("<p class=\"best\">" + String.join("", rows(page)) + "</p>"), page::body);
    }

    @Test
    void digitReader_ofAPictureWithoutDigits_saysSo() throws Exception {
        byte[] blank = Pictures.blank(300, 200);

        HttpResponse<String> page = browser.upload("/digit-reader", "name=\"image\"; filename=\"1.png\"", blank);

        assertEquals(200, page.statusCode());
        assertTrue(page.body().contains("No digit was found."), page::body);
    }

    @Test
    void digitReader_ofAText_showsTheFaultAsASentence() {
        byte[] text = "no picture".getBytes(StandardCharsets.US_ASCII);

        HttpResponse<String> page = browser.upload("/digit-reader", "name=\"image\"; filename=\"1.png\"", text);

        assertEquals(400, page.statusCode());
        assertTrue(problems(page).get(0).startsWith("Picture: expected the bytes of a PNG or JPEG"), page::body);
    }

    @Test
    void digitReader_ofALargePhotograph_showsASmallerOneUnderTheSameBoxes() throws Exception {
        byte[] large = Pictures.largeFace(5);
        assertTrue(large.length > 1 << 20, "too small to show anything");

        HttpResponse<String> page = browser.upload("/digit-reader", "name=\"image\"; filename=\"large.png\"", large);

        assertEquals(200, page.statusCode());
        assertTrue(page.body().contains("viewBox=\"0 0 1300 1300\""), page::body);
        assertEquals(1, count(page, "<image href=\"data:image/jpeg;base64,"));
        assertTrue(page.body().length() < large.length / 4, () -> page.body().length() + " characters");
    }

    @Test
    void faces_ofAPhotograph_drawsABoxFivePointsAndAnEmotion() throws Exception {
        HttpResponse<String> page = browser.upload("/faces", "name=\"image\"; filename=\"1.jpg\"", Pictures.face());

        assertEquals(200, page.statusCode());
        assertEquals(1, count(page, "<rect x="));
        assertEquals(5, count(page, "<circle "));
        assertEquals(List.of("1 happy"), all("<text [^>]*>([^<]*)</text>", page));
        assertEquals(List.of("1 happy"), rows(page));
        assertEquals(List.of("1 face was found."), all("<p class=\"best\">([^<]*)</p>", page));
    }

    @Test
    void faces_ofAPictureWithoutAFace_saysSo() throws Exception {
        HttpResponse<String> page =
                browser.upload("/faces", "name=\"image\"; filename=\"1.png\"", Pictures.blank(300, 200));

        assertEquals(200, page.statusCode());
        assertEquals(List.of("No face was found."), all("<p class=\"best\">([^<]*)</p>", page));
        assertEquals(0, count(page, "<table"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/faces", "/digit-reader"})
    void photographPage_ofNothing_namesTheField(String name) {
        assertEquals(
                List.of("Picture: expected a PNG or JPEG file, received nothing."),
                problems(browser.upload(name, "name=\"image\"; filename=\"\"", new byte[0])));
    }

    @Test
    void serverThatIsGone_isASentence() {
        Browser lonely = new Browser(Running.webWithoutServer());

        HttpResponse<String> index = lonely.get("/");
        HttpResponse<String> iris = lonely.post("/iris", flower("5.1", "3.5", "1.4", "0.2"));

        String sentence = "The service does not answer. Try again later, or ask its operator.";
        assertEquals(6, count(index, sentence));
        assertEquals(502, iris.statusCode());
        assertEquals(List.of(sentence), problems(iris));
        assertTrue(iris.body().contains("value=\"5.1\""), "the numbers stay");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/iris", "/style.css", "/no-such-page"})
    void everyAnswer_hasAStrictPolicy(String path) {
        HttpResponse<String> page = browser.get(path);

        String policy = page.headers().firstValue("Content-Security-Policy").orElseThrow();
        assertTrue(policy.startsWith("default-src 'none'; script-src 'self';"), policy);
        assertFalse(policy.contains("unsafe"), policy);
        assertTrue(page.headers().firstValue("Set-Cookie").isEmpty(), "no state, so no cookie");
    }

    @Test
    void unknownPage_isASentenceWithoutTomcatsVersion() {
        HttpResponse<String> page = browser.get("/no-such-page");

        assertEquals(404, page.statusCode());
        assertEquals(1, count(page, "<h1>No such page</h1>"));
        assertEquals(0, count(page, "Tomcat"));
    }

    private static Map<String, String> flower(String... centimetres) {
        return Map.of(
                "sepalLength", centimetres[0], "sepalWidth", centimetres[1], "petalLength", centimetres[2],
                "petalWidth", centimetres[3]);
    }

    private static List<String> rows(HttpResponse<String> page) {
        return all("<th scope=\"row\">([^<]*)</th>", page);
    }

    private static List<String> sentences(HttpResponse<String> page) {
        return all("<p class=\"sentence\" dir=\"auto\">([^<]*)</p>", page);
    }

    private static List<String> problems(HttpResponse<String> page) {
        return all("<li>([^<]*)</li>", page);
    }

    private static List<String> all(String pattern, HttpResponse<String> page) {
        return Pattern.compile(pattern).matcher(page.body()).results().map(found -> found.group(1)).toList();
    }

    private static long count(HttpResponse<String> page, String text) {
        return Pattern.compile(Pattern.quote(text)).matcher(page.body()).results().map(MatchResult::start).count();
    }
}
