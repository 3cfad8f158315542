using System;
using System.ServiceModel;

public static class Program
{
    public static void Main()
    {
        var binding = new BasicHttpBinding{% if https %}(BasicHttpSecurityMode.Transport){% else %}(){% endif %};
        binding.MaxReceivedMessageSize = 64 * 1024 * 1024;
        var address = new EndpointAddress("{{ address }}");
        var factory = new ChannelFactory<{{ namespace }}.{{ names.title }}>(binding, address);
        var service = factory.CreateChannel();
        var answer = service.{{ operation.name }}({{ csharp.arguments | map(attribute=1) | join(", ") }});
{% for line in csharp.printed %}
        {{ line }}
{% endfor %}
        ((IClientChannel)service).Close();
        factory.Close();
    }
{% if csharp.repeats %}

    private static TList Many<TList, TItem>(TItem item, int count) where TList : System.Collections.Generic.List<TItem>, new()
    {
        var list = new TList();
        for (int i = 0; i < count; i++) list.Add(item);  // yours here
        return list;
    }
{% endif %}
}
