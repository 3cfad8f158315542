package client;

import jakarta.xml.ws.BindingProvider;
{% for type in java.types %}
import stubs.{{ type }};
{% endfor %}

public class FirstCall {
    public static void main(String[] args) throws Exception {
        {{ names.title }} service = new {{ names.service }}().get{{ names.title }}Port();
        ((BindingProvider) service).getRequestContext().put(
                BindingProvider.ENDPOINT_ADDRESS_PROPERTY, "{{ address }}");
{% for line in java.before %}
        {{ line }}
{% endfor %}
        {{ result.type }} answer = service.{{ operation.name }}({{ java.arguments | map(attribute=1) | join(", ") }});
{% for line in java.printed %}
        {{ line }}
{% endfor %}
    }
}
