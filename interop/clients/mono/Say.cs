using System;
using System.Collections;
using System.Linq;
using System.Threading;

/// <summary>Says in a line of JSON what came of a feature.</summary>
public static class Say
{
    public static void Feature(string name, Action attempt) { Feature(name, "", attempt); }

    public static void Feature(string name, string note, Action attempt)
    {
        bool ok = true;
        try { attempt(); }
        catch (Exception e)
        {
            Console.Error.WriteLine(e);
            ok = false;
            note = e.GetType().Name + ": " + e.Message;
        }
        Console.WriteLine("{{\"feature\": \"{0}\", \"ok\": {1}, \"note\": \"{2}\"}}", name, ok ? "true" : "false", Escaped(note));
        Console.Out.Flush();
    }

    static string Escaped(string text)
    {
        return string.Concat(text.Take(800).Select(
            c => c < ' ' || c > '~' || c == '"' || c == '\\' ? "\\u" + ((int)c).ToString("x4") : c.ToString()));
    }

    public static void Check(object found, object wanted)
    {
        var one = found as IEnumerable;
        var other = wanted as IEnumerable;
        bool same = one != null && other != null
            ? one.Cast<object>().SequenceEqual(other.Cast<object>())
            : Equals(found, wanted);
        if (!same) throw new Exception("expected " + Shown(wanted) + ", received " + Shown(found));
    }

    static string Shown(object value)
    {
        var many = value as IEnumerable;
        return many == null || value is string ? (value ?? "null").ToString() : string.Join(", ", many.Cast<object>().Take(20));
    }

    /// <summary>16 threads, each with a call of its own that it makes 500 times with its own numbers.</summary>
    public static void InThreads(Func<Func<long, long>> newCall)
    {
        Exception wrong = null;
        var threads = Enumerable.Range(0, 16).Select(number =>
        {
            var call = newCall();
            return new Thread(() =>
            {
                try
                {
                    for (long total = number * 1000; total < number * 1000 + 500; total++) Check(call(total), total);
                }
                catch (Exception e) { wrong = e; }
            });
        }).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        if (wrong != null) throw wrong;
    }
}
