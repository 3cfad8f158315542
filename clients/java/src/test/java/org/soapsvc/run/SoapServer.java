package org.soapsvc.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Starts serve.py of this repository. */
final class SoapServer {

    private static final Pattern READY = Pattern.compile("soapsvc is .*: (https?://\\S+)/");

    private SoapServer() {
    }

    /** Serves a folder of models and returns the URL. port: 0 for a free one. */
    static String start(Path python, Path repository, Path models, int port, Path log)
            throws IOException, InterruptedException {
        ProcessBuilder command = new ProcessBuilder(
                python.toString(), "serve.py", "--models", models.toString(), "--port", String.valueOf(port));
        command.environment().keySet().removeIf(name -> name.startsWith("SOAPSVC_"));
        return Processes.start(command.directory(repository.toFile()), log, READY);
    }

    /** Copies the bundled models to a folder, makes the test model kinds there too, and returns the folder. */
    static Path testModels(Path python, Path repository, Path folder) throws IOException, InterruptedException {
        Path bundled = repository.resolve("models");
        try (Stream<Path> files = Files.walk(bundled)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path copy = folder.resolve(bundled.relativize(file));
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Path kinds = folder.resolve("kinds/1");
        if (!Files.exists(kinds.resolve("model.yaml"))) {
            List<String> command = List.of(python.toString(), "tests/kinds.py", kinds.toString());
            int exit = new ProcessBuilder(command).directory(repository.toFile()).inheritIO().start().waitFor();
            if (exit != 0) {
                throw new IllegalStateException(command + " ended with " + exit);
            }
        }
        return folder;
    }
}
