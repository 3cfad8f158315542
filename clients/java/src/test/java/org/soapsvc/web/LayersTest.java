package org.soapsvc.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The web application knows the clients alone: neither SOAP nor stubs. */
class LayersTest {

    private static final Pattern SOAP =
            Pattern.compile("jakarta\\.(xml|jws)\\.[\\w.]+|org\\.soapsvc\\.client\\.[a-z]\\w*\\.\\w+");

    @Test
    void noPage_namesAClassOfSoapOrOfStubs() throws IOException {
        List<Path> sources;
        try (Stream<Path> java = Files.walk(Path.of("src/main/java/org/soapsvc/web"));
                Stream<Path> pages = Files.walk(Path.of("src/main/webapp"))) {
            sources = Stream.concat(java, pages).filter(Files::isRegularFile).toList();
        }
        assertTrue(sources.size() > 15, "nothing to read");
        for (Path source : sources) {
            Matcher found = SOAP.matcher(Files.readString(source));
            assertEquals(List.of(), found.results().map(one -> one.group()).toList(), source::toString);
        }
    }

    @Test
    void noPage_hasScriptOrStyleInside() throws IOException {
        try (Stream<Path> pages = Files.walk(Path.of("src/main/webapp/WEB-INF"))) {
            for (Path page : pages.filter(Files::isRegularFile).toList()) {
                String text = Files.readString(page);
                assertEquals(
                        List.of(),
                        Pattern.compile("<script\\b(?! src)|\\son\\w+=|\\sstyle=|<style").matcher(text).results()
                                .map(one -> one.group()).toList(),
                        page::toString);
            }
        }
    }
}
