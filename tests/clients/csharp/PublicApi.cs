using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;

/// <summary>Prints what a program can use of an assembly: public types and their members, in a fixed order.</summary>
public static class PublicApi
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static void Main(string[] args)
    {
        Assembly assembly = Assembly.LoadFrom(Path.GetFullPath(args[0]));
        foreach (Type type in assembly.GetExportedTypes().OrderBy(each => each.FullName, StringComparer.Ordinal))
        {
            Console.WriteLine(Kind(type) + " " + type.FullName + " : " + Bases(type));
            foreach (string member in Members(type).OrderBy(each => each, StringComparer.Ordinal))
                Console.WriteLine("    " + member);
        }
    }

    private static string Kind(Type type)
    {
        if (type.IsEnum)
            return "enum";
        if (type.IsInterface)
            return "interface";
        return type.IsSubclassOf(typeof(Delegate)) ? "delegate" : "class";
    }

    private static string Bases(Type type)
    {
        IEnumerable<Type> inherited = type.BaseType == null ? Type.EmptyTypes : type.BaseType.GetInterfaces();
        IEnumerable<Type> own = type.GetInterfaces().Except(inherited);
        IEnumerable<Type> all = type.BaseType == null ? own : own.Concat(new[] { type.BaseType });
        return string.Join(", ", all.Select(each => each.ToString()).OrderBy(each => each, StringComparer.Ordinal));
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
            return Enum.GetNames(type).Select(name => name + " = " + Convert.ToInt64(Enum.Parse(type, name)));
        return type.GetMembers(Declared).Where(each => !IsAccessor(each)).Select(Signature);
    }

    private static string Signature(MemberInfo member)
    {
        var method = member as MethodBase;
        if (method == null)
            return member.MemberType + " " + member;
        var returned = method is MethodInfo ? ((MethodInfo)method).ReturnType + " " : "";
        string parameters = string.Join(", ", method.GetParameters().Select(Parameter));
        return member.MemberType + " " + returned + method.Name + "(" + parameters + ")";
    }

    private static string Parameter(ParameterInfo parameter)
    {
        return parameter.ParameterType + " " + parameter.Name;
    }

    private static bool IsAccessor(MemberInfo member)
    {
        var method = member as MethodInfo;
        return method != null && method.IsSpecialName;
    }
}
