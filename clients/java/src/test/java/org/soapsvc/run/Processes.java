package org.soapsvc.run;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Starts a process that says in its output when it is ready; it ends with this one, whatever happens here. */
final class Processes {

    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private Processes() {
    }

    /**
     * Starts a process and returns what the first group of ready matches in a line of its output.
     *
     * @param log takes all that the process prints
     * @throws IllegalStateException if it ends, or says nothing of the kind in time; the message has its output
     */
    static String start(ProcessBuilder command, Path log, Pattern ready) throws IOException, InterruptedException {
        Files.createDirectories(log.getParent());
        Process process = command.redirectErrorStream(true).redirectOutput(log.toFile()).start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(process)));
        Instant end = Instant.now().plus(PATIENCE);
        try (BufferedReader lines = Files.newBufferedReader(log)) {
            while (Instant.now().isBefore(end)) {
                boolean alive = process.isAlive();
                String line = lines.readLine();
                Matcher found = line == null ? null : ready.matcher(line);
                if (found != null && found.find()) {
                    return found.group(1);
                }
                if (line == null && !alive) {
                    break;
                }
                if (line == null) {
                    process.waitFor(50, TimeUnit.MILLISECONDS);
                }
            }
        }
        throw new IllegalStateException(command.command() + " did not start: " + Files.readString(log));
    }

    private static void stop(Process process) {
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
        }
    }
}
