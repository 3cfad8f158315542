import org.apache.cxf.tools.common.ToolContext;
import org.apache.cxf.tools.validator.WSDLValidator;
import org.apache.cxf.tools.wsdlto.WSDLToJava;

/** Runs wsdl2java, which also validates, and wsdlvalidator: `Generate SOURCES (WSDL PACKAGE)...`. */
public final class Generate {

    public static void main(String[] arguments) throws Exception {
        for (int i = 1; i < arguments.length; i += 2) {
            String[] options = {
                "-validate=all", "-client", "-d", arguments[0], "-p", arguments[i + 1], arguments[i]
            };
            new WSDLToJava(options).run(new ToolContext());
            WSDLValidator.main(new String[] {arguments[i]});
        }
    }
}
