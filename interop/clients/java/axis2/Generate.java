import java.io.File;
import java.nio.file.Path;
import org.apache.axis2.wsdl.WSDL2Java;

/** Runs Axis2's WSDL2Java: `Generate SOURCES (WSDL PACKAGE)...`, with -Dbinding=adb or jaxbri. */
public final class Generate {

    public static void main(String[] arguments) throws Exception {
        for (int i = 1; i < arguments.length; i += 2) {
            String namespace = "urn:soapsvc:" + new File(arguments[i]).getName().split("\\.")[0] + ":v1";
            WSDL2Java.main(new String[] {
                "-uri", Path.of(arguments[i]).toUri().toString(), "-p", arguments[i + 1], "-d",
                System.getProperty("binding"), "-ns2p", namespace + "=" + arguments[i + 1], "-s", "-u", "-S", ".", "-o",
                arguments[0],
            });
        }
    }
}
