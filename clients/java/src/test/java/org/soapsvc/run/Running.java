package org.soapsvc.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The server and the Tomcat that integration tests call: started when first asked for, stopped when the tests end.
 *
 * <p>System properties, which pom.xml sets: {@code soapsvc.python}, {@code soapsvc.repository},
 * {@code soapsvc.faces}, {@code soapsvc.tomcat}, {@code soapsvc.build}. With {@code soapsvc.url}, and {@code soapsvc.web.url}, those that run
 * there are used.
 */
public final class Running {

    private static String server = System.getProperty("soapsvc.url");
    private static String web = System.getProperty("soapsvc.web.url");

    private Running() {
    }

    /** Returns the URL of a server with the bundled models, faces and kinds. */
    public static synchronized String server() {
        if (server == null) {
            server = started(() -> {
                if (!Files.exists(path("faces"))) {
                    throw new IllegalStateException(path("faces") + " is missing: make it with `make example-faces`");
                }
                Path models = SoapServer.models(path("repository"), path("faces"), path("build").resolve("models"));
                SoapServer.makeKinds(path("python"), path("repository"), models);
                Path log = path("build").resolve("serve.log");
                return SoapServer.start(path("python"), path("repository"), models, 0, log);
            });
        }
        return server;
    }

    /** Returns the URL of the web application in a Tomcat, which calls {@link #server}. */
    public static synchronized String web() {
        if (web == null) {
            web = application("tomcat-base", server());
        }
        return web;
    }

    /** Returns the URL of the web application in one more Tomcat, which calls a port where nobody listens. */
    public static String webWithoutServer() {
        return application("tomcat-without-server", "http://127.0.0.1:9");
    }

    private static String application(String folder, String server) {
        Path build = path("build");
        return started(() ->
                Tomcat.start(path("tomcat"), build.resolve(folder), build.resolve("soapsvc.war"), 0, server));
    }

    private static Path path(String name) {
        return Path.of(System.getProperty("soapsvc." + name)).toAbsolutePath().normalize();
    }

    private interface Start {
        String url() throws IOException, InterruptedException;
    }

    private static String started(Start start) {
        try {
            return start.url();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException("could not start what the tests call", e);
        }
    }
}
