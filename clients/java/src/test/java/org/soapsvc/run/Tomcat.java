package org.soapsvc.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Starts a Tomcat with the application, in a process and a folder of its own. */
final class Tomcat {

    private static final Pattern READY = Pattern.compile("Starting ProtocolHandler \\[\"http-nio-.*?-(\\d+)\"\\]");
    private static final String SERVER_XML = """
            <Server port="-1">
              <Service name="Catalina">
                <Connector address="127.0.0.1" port="%d" maxSwallowSize="-1"/>
                <Engine name="Catalina" defaultHost="localhost">
                  <Host name="localhost" appBase="webapps" deployOnStartup="true" autoDeploy="false"/>
                </Engine>
              </Service>
            </Server>
            """;

    private Tomcat() {
    }

    /**
     * Deploys a WAR under /soapsvc and returns its URL, without a slash at its end.
     *
     * @param home an unpacked Tomcat 10.1, which stays as it is
     * @param base a folder for this one; made anew
     * @param port 0 for a free one
     * @param server the soapsvc that the application calls
     */
    static String start(Path home, Path base, Path war, int port, String server)
            throws IOException, InterruptedException {
        remove(base);
        for (String folder : new String[] {"conf", "logs", "temp", "webapps", "work"}) {
            Files.createDirectories(base.resolve(folder));
        }
        Files.writeString(base.resolve("conf/server.xml"), SERVER_XML.formatted(port));
        Files.copy(home.resolve("conf/web.xml"), base.resolve("conf/web.xml"));
        Files.copy(war, base.resolve("webapps/soapsvc.war"), StandardCopyOption.REPLACE_EXISTING);
        ProcessBuilder command = new ProcessBuilder("sh", home.resolve("bin/catalina.sh").toString(), "run");
        command.environment().put("JAVA_HOME", System.getProperty("java.home"));
        command.environment().put("CATALINA_HOME", home.toString());
        command.environment().put("CATALINA_BASE", base.toString());
        command.environment().put("CATALINA_OPTS", "-Xmx256m -Dsoapsvc.url=" + server);
        return "http://127.0.0.1:" + Processes.start(command, base.resolve("logs/tomcat.log"), READY) + "/soapsvc";
    }

    private static void remove(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
