import com.sun.tools.ws.wscompile.WsimportTool;
import java.io.File;

/** Runs wsimport: `Generate SOURCES (WSDL PACKAGE)...`. */
public final class Generate {

    public static void main(String[] arguments) {
        for (int i = 1; i < arguments.length; i += 2) {
            String[] options = {
                "-quiet", "-Xnocompile", "-extension", "-s", arguments[0], "-p", arguments[i + 1], arguments[i]
            };
            if (!new WsimportTool(System.out).run(options)) {
                System.out.println("wsimport refuses " + new File(arguments[i]).getName());
                System.exit(1);
            }
        }
    }
}
