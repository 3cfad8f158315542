import com.sun.tools.xjc.Driver;

/** Runs xjc on the schema in each WSDL: `Generate SOURCES (WSDL PACKAGE)...`. */
public final class Generate {

    public static void main(String[] arguments) throws Exception {
        for (int i = 1; i < arguments.length; i += 2) {
            String[] options = {"-quiet", "-wsdl", "-d", arguments[0], "-p", arguments[i + 1], arguments[i]};
            if (Driver.run(options, System.out, System.out) != 0) {
                System.out.println("xjc refuses " + arguments[i]);
                System.exit(1);
            }
        }
    }
}
