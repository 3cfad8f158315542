using System;
using System.IO;
using System.Linq;
using System.Net;
using System.Web.Services.Protocols;
using System.Xml;
using Stubs.Kinds;

/// <summary>Tries each feature with proxies of wsdl.exe (ASP.NET web services): `Asmx.exe URL PICTURE SCENE`.</summary>
public static class Asmx
{
    static string url;
    static byte[] picture;
    static byte[] scene;

    public static void Main(string[] arguments)
    {
        url = arguments[0];
        picture = File.ReadAllBytes(arguments[1]);
        scene = File.ReadAllBytes(arguments[2]);
        ServicePointManager.DefaultConnectionLimit = 32;
        ServicePointManager.Expect100Continue = true;
        Say.Feature("natural", Natural);
        Say.Feature("scalars", () => Scalars(Kinds("scalars")));
        Say.Feature("optional", Optional);
        Say.Feature("arrays", Arrays);
        Say.Feature("tensor", Tensor);
        Say.Feature("image", Image);
        Say.Feature("text", () => Text("text", " <b> & \"x\" ]]> "));
        Say.Feature("utf8", () => Text("utf8", "你好 ü 😀"));
        Say.Feature("nan", Nan);
        Say.Feature("batch", Batch);
        Say.Feature("records", Records);
        Say.Feature("conversation", Conversation);
        const string one = "one exception class, SoapException; its Detail is the typed fault as XML";
        Say.Feature("invalid-input", one, InvalidInput);
        Say.Feature("model-not-found", one, ModelNotFound);
        Say.Feature("other-faults", one, OtherFaults);
        Say.Feature("soap12", Soap12);
        Say.Feature("gzip-out", "EnableDecompression = true", GzipOut);
        Say.Feature("threads", Threads);
    }

    static KindsService Kinds(string feature)
    {
        return new KindsService { Url = url + "/" + feature + "/soap/kinds/v1" };
    }

    static void Natural()
    {
        var predict = typeof(KindsService).GetMethod("predict");
        Say.Check(
            predict.GetParameters().Select(one => one.ParameterType),
            new[] { typeof(bool), typeof(int), typeof(long), typeof(int), typeof(double), typeof(double?), typeof(string),
                typeof(double), typeof(double), typeof(double[]), typeof(long[]), typeof(string[]), typeof(Tensor),
                typeof(byte[]) });
        Say.Check(
            predict.GetParameters().Select(one => one.Name),
            "flag count total level ratio offset note left right series codes words grid picture".Split(' '));
        Say.Check(predict.ReturnType, typeof(Prediction));
    }

    static Instance New()
    {
        return new Instance
        {
            flag = true, count = int.MinValue, total = long.MaxValue, level = 200, ratio = 0.1, note = "note",
            left = 0.25, right = 0.75, series = new[] { 1.5, 2.5 }, codes = new long[] { 7, 8 },
            words = new[] { "one", "", "x & y" }, picture = picture,
            grid = new Tensor { dtype = DType.float32, shape = new long[] { 2, 3 }, doubles = new double[] { 1, 2, 3, 4, 5, 6 } },
        };
    }

    static Prediction Predict(KindsService kinds, Instance i)
    {
        return kinds.predict(i.flag, i.count, i.total, i.level, i.ratio, i.offset, i.note, i.left, i.right, i.series,
            i.codes, i.words, i.grid, i.picture);
    }

    static void Scalars(KindsService kinds)
    {
        var answer = Predict(kinds, New());
        Say.Check(
            new object[] { answer.flag, answer.count, answer.total, answer.level, answer.ratio },
            new object[] { true, int.MinValue, long.MaxValue, 200, 0.1 });
    }

    static void Optional()
    {
        var one = New();
        Say.Check(Predict(Kinds("optional"), one).shifted, 0.0);
        one.offset = 0.5;
        Say.Check(Predict(Kinds("optional"), one).shifted, 1.0);
    }

    static void Arrays()
    {
        var one = New();
        var answer = Predict(Kinds("arrays"), one);
        Say.Check(answer.series, one.series);
        Say.Check(answer.codes, one.codes);
        Say.Check(answer.words, one.words);
        one.words = new string[0];
        Say.Check(Predict(Kinds("arrays"), one).words, one.words);
    }

    static void Tensor()
    {
        var grid = Predict(Kinds("tensor"), New()).grid;
        Say.Check(grid.dtype, DType.float32);
        Say.Check(grid.shape, new long[] { 2, 3 });
        Say.Check(grid.doubles, new double[] { 1, 2, 3, 4, 5, 6 });
    }

    static void Image()
    {
        Say.Check(Predict(Kinds("image"), New()).pixels.content, Enumerable.Range(1, 12).Select(one => (byte)one));
    }

    static void Text(string feature, string text)
    {
        var one = New();
        one.note = text;
        Say.Check(Predict(Kinds(feature), one).note, text);
    }

    static void Nan()
    {
        var one = New();
        one.left = double.NaN;
        one.right = double.NegativeInfinity;
        one.series = new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity };
        var answer = Predict(Kinds("nan"), one);
        Say.Check(answer.scores.OrderBy(score => score.label).Select(score => score.score), new[] { one.left, one.right });
        Say.Check(answer.series, one.series);
    }

    static void Batch()
    {
        var second = New();
        second.offset = 2;
        Say.Check(
            Kinds("batch").predictBatch(new[] { New(), second }).Select(answer => answer.shifted), new[] { 0.0, 4.0 });
    }

    static void Records()
    {
        var reader = new Stubs.DigitReader.DigitReaderService { Url = url + "/records/soap/digit-reader/v1" };
        var answer = reader.predict(scene);
        Say.Check(answer.text, "173");
        Say.Check(string.Concat(answer.digits.Select(found => found.digit[0].label)), "173");
        Say.Check(Math.Round(answer.digits[0].box.x), 86.0);
        Say.Check(reader.predict(picture).digits.Length, 0);
    }

    static void Conversation()
    {
        var chat = new Stubs.Chat.ChatService { Url = url + "/conversation/soap/chat/v1" };
        var first = chat.reply(null, "My name is Ada");
        var second = chat.reply(first.sessionId, "What is my name?");
        Say.Check(first.sessionState + " " + second.sessionState, "started continued");
        Say.Check(second.sentence, "Your name is Ada.");
    }

    static void InvalidInput()
    {
        var one = New();
        one.level = 256;
        Caught(() => Predict(Kinds("invalid-input"), one), "InvalidInput", "code", "out-of-range", "field", "level",
            "received", "256");
    }

    static void ModelNotFound()
    {
        var inference = new Stubs.Inference.InferenceService { Url = url + "/model-not-found/soap/inference/v1" };
        Caught(() => inference.getModel("nothing", null, null, null), "ModelNotFound", "code", "unknown-model");
    }

    static void OtherFaults()
    {
        var inference = new Stubs.Inference.InferenceService { Url = url + "/other-faults/soap/inference/v1" };
        Action<string> call = model => inference.getModel(model, null, null, null);
        Caught(() => call("full"), "Overloaded", "retryAfterSeconds", "2");
        Caught(() => call("late"), "DeadlineExceeded", "deadlineSeconds", "1.5");
        Caught(() => call("gone"), "Unavailable", "retryAfterSeconds", "2");
        Caught(() => call("locked"), "AuthenticationFailed", "code", "authentication-failed");
    }

    static void Caught(Action call, string type, params string[] members)
    {
        try { call(); }
        catch (SoapException e)
        {
            XmlNode fault = e.Detail.FirstChild;
            Say.Check(fault.LocalName, type);
            Say.Check(fault["message"].InnerText != "" && fault["requestId"].InnerText != "", true);
            for (int i = 0; i < members.Length; i += 2) Say.Check(fault[members[i]].InnerText, members[i + 1]);
            return;
        }
        throw new Exception("no fault");
    }

    static void Soap12()
    {
        var kinds = new Stubs.Kinds12.KindsService { Url = url + "/soap12/soap12/kinds/v1" };
        var grid = new Stubs.Kinds12.Tensor
        {
            dtype = Stubs.Kinds12.DType.float32, shape = new long[] { 2, 3 }, doubles = new double[] { 1, 2, 3, 4, 5, 6 },
        };
        Func<int, long> call = level => kinds.predict(true, -3, 1L << 40, level, 0.1, null, "x", 0, 1,
            new[] { 1.5 }, new long[] { 7 }, new string[0], grid, picture).total;
        Say.Check(call(200), 1L << 40);
        Caught(() => call(256), "InvalidInput", "field", "level");
    }

    static void GzipOut()
    {
        var inference = new Stubs.Inference.InferenceService
        {
            Url = url + "/gzip-out/soap/inference/v1", EnableDecompression = true,
        };
        var sent = Enumerable.Range(0, 3000).Select(one => (long)(one % 256)).ToArray();
        var tensor = new Stubs.Inference.Tensor
        {
            dtype = Stubs.Inference.DType.uint8, shape = new long[] { 1, 3000 }, longs = sent,
        };
        var inputs = new[] { new Stubs.Inference.NamedTensor { name = "x", tensor = tensor } };
        Say.Check(inference.predict("echo", null, null, null, inputs, null).outputs[0].tensor.longs, sent);
    }

    static void Threads()
    {
        Say.InThreads(() =>
        {
            var kinds = Kinds("threads");
            return total =>
            {
                var one = New();
                one.total = total;
                return Predict(kinds, one).total;
            };
        });
    }
}
