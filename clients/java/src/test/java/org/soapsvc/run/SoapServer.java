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

    /** Serves a folder of models, faces with its own Python, and returns the URL. port: 0 for a free one. */
    static String start(Path python, Path repository, Path models, int port, Path log)
            throws IOException, InterruptedException {
        ProcessBuilder command = new ProcessBuilder(
                python.toString(), "serve.py", "--models", models.toString(), "--port", String.valueOf(port),
                "--pipeline-code", "faces");
        command.environment().keySet().removeIf(name -> name.startsWith("SOAPSVC_"));
        return Processes.start(command.directory(repository.toFile()), log, READY);
    }

    /** Copies the bundled models and faces to a folder, and returns the folder. faces: what the example wrote. */
    static Path models(Path repository, Path faces, Path folder) throws IOException {
        copy(repository.resolve("models"), folder);
        copy(faces, folder);
        return folder;
    }

    /** Makes the test model kinds in a folder of models. */
    static void makeKinds(Path python, Path repository, Path folder) throws IOException, InterruptedException {
        Path kinds = folder.resolve("kinds/1");
        if (!Files.exists(kinds.resolve("model.yaml"))) {
            List<String> command = List.of(python.toString(), "tests/kinds.py", kinds.toString());
            int exit = new ProcessBuilder(command).directory(repository.toFile()).inheritIO().start().waitFor();
            if (exit != 0) {
                throw new IllegalStateException(command + " ended with " + exit);
            }
        }
    }

    private static void copy(Path models, Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(models)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path copy = folder.resolve(models.relativize(file));
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }
}
