package org.soapsvc.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Runs the server and the web application until it is stopped: `make client-java`. */
public final class RunForAPerson {

    private RunForAPerson() {
    }

    /**
     * Prints the application's URL and waits.
     *
     * @param arguments repository, build folder, Tomcat, port of the application, and either a Python with a port for
     *     the server, or the URL of one that runs
     */
    public static void main(String[] arguments) throws Exception {
        List<Path> paths = List.of(arguments).subList(0, 3).stream().map(one -> Path.of(one).toAbsolutePath()).toList();
        Path repository = paths.get(0);
        Path build = paths.get(1);
        String server = arguments[4];
        if (arguments.length == 6) {
            Path log = build.resolve("serve.log");
            Path python = Path.of(server).toAbsolutePath();
            server = SoapServer.start(python, repository, models(repository, build), Integer.parseInt(arguments[5]), log);
        }
        System.out.println("soapsvc: " + server + "/");
        Path war = build.resolve("soapsvc.war");
        String web = Tomcat.start(paths.get(2), build.resolve("tomcat-run"), war, Integer.parseInt(arguments[3]), server);
        System.out.println("web application: " + web + "/   (Ctrl-C stops both)");
        Thread.currentThread().join();
    }

    /** Returns the folder of the bundled models, or of them and faces where `make example-faces` made it. */
    private static Path models(Path repository, Path build) throws IOException {
        Path faces = repository.resolve(".faces/models");
        return Files.isDirectory(faces)
                ? SoapServer.models(repository, faces, build.resolve("models-with-faces")) : repository.resolve("models");
    }
}
