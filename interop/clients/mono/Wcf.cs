using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.ServiceModel;
using System.ServiceModel.Channels;
using System.Text;
using soapsvc.kinds.v1;

/// <summary>Tries each feature with proxies of svcutil (WCF): `Wcf.exe URL PICTURE SCENE`.</summary>
public static class Wcf
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
        Say.Feature("natural", "array types are lists: ArrayOfDouble : List<double>", Natural);
        Say.Feature("scalars", () => Scalars(Kinds("scalars")));
        Say.Feature("optional", Optional);
        Say.Feature("arrays", Arrays);
        Say.Feature("tensor", Tensor);
        Say.Feature("image", () => Image(Kinds("image")));
        Say.Feature("text", () => Text("text", " <b> & \"x\" ]]> "));
        Say.Feature("utf8", () => Text("utf8", "你好 ü 😀"));
        Say.Feature("nan", Nan);
        Say.Feature("batch", Batch);
        Say.Feature("records", Records);
        Say.Feature("conversation", Conversation);
        Say.Feature("invalid-input", () => InvalidInput(Kinds("invalid-input")));
        Say.Feature("model-not-found", ModelNotFound);
        Say.Feature("other-faults", OtherFaults);
        Say.Feature("soap12", Soap12);
        Say.Feature("mtom-in", () => Image(Kinds("mtom-in", Mtom())));
        Say.Feature("mtom-100", () => MtomOut("mtom-100", 100));
        Say.Feature("mtom-100k", () => MtomOut("mtom-100k", 100000));
        Say.Feature("mtom-20m", () => MtomOut("mtom-20m", 20000000));
        Say.Feature("gzip-out", GzipOut);
        Say.Feature("addressing", Addressing);
        Say.Feature("threads", Threads);
        Environment.Exit(0);
    }

    static Binding Mtom()
    {
        return new BasicHttpBinding { MaxReceivedMessageSize = 1 << 26, MessageEncoding = WSMessageEncoding.Mtom };
    }

    static Binding Text(EnvelopeVersion envelope, AddressingVersion addressing)
    {
        return new CustomBinding(
            new TextMessageEncodingBindingElement(MessageVersion.CreateVersion(envelope, addressing), Encoding.UTF8),
            new HttpTransportBindingElement());
    }

    static KindsClient Kinds(string feature, Binding binding = null, string path = "soap")
    {
        return new KindsClient(
            binding ?? new BasicHttpBinding { MaxReceivedMessageSize = 1 << 26 },
            new EndpointAddress(url + "/" + feature + "/" + path + "/kinds/v1"));
    }

    static soapsvc.inference.v1.Tensor Echo(string feature, Binding binding, soapsvc.inference.v1.Tensor tensor)
    {
        var address = new EndpointAddress(url + "/" + feature + "/soap/inference/v1");
        var inputs = new soapsvc.inference.v1.ArrayOfNamedTensor
        {
            new soapsvc.inference.v1.NamedTensor { name = "x", tensor = tensor },
        };
        return new InferenceClient(binding, address).predict("echo", null, null, null, inputs, null).outputs[0].tensor;
    }

    static void Natural()
    {
        var predict = typeof(KindsClient).GetMethod("predict");
        Say.Check(
            predict.GetParameters().Select(one => one.ParameterType),
            new[] { typeof(bool), typeof(int), typeof(long), typeof(int), typeof(double), typeof(double?), typeof(string),
                typeof(double), typeof(double), typeof(ArrayOfDouble), typeof(ArrayOfLong), typeof(ArrayOfString),
                typeof(Tensor), typeof(byte[]) });
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
            left = 0.25, right = 0.75, series = new ArrayOfDouble { 1.5, 2.5 }, codes = new ArrayOfLong { 7, 8 },
            words = new ArrayOfString { "one", "", "x & y" }, picture = picture,
            grid = new Tensor
            {
                dtype = DType.float32, shape = new ArrayOfLong { 2, 3 }, doubles = new ArrayOfDouble { 1, 2, 3, 4, 5, 6 },
            },
        };
    }

    static Prediction Predict(KindsClient kinds, Instance i)
    {
        return kinds.predict(i.flag, i.count, i.total, i.level, i.ratio, i.offset, i.note, i.left, i.right, i.series,
            i.codes, i.words, i.grid, i.picture);
    }

    static void Scalars(KindsClient kinds)
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
        one.words = new ArrayOfString();
        Say.Check(Predict(Kinds("arrays"), one).words, one.words);
    }

    static void Tensor()
    {
        var grid = Predict(Kinds("tensor"), New()).grid;
        Say.Check(grid.dtype, DType.float32);
        Say.Check(grid.shape, new long[] { 2, 3 });
        Say.Check(grid.doubles, new double[] { 1, 2, 3, 4, 5, 6 });
    }

    static void Image(KindsClient kinds)
    {
        Say.Check(Predict(kinds, New()).pixels.content, Enumerable.Range(1, 12).Select(one => (byte)one));
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
        one.series = new ArrayOfDouble { double.NaN, double.PositiveInfinity, double.NegativeInfinity };
        var answer = Predict(Kinds("nan"), one);
        Say.Check(answer.scores.OrderBy(score => score.label).Select(score => score.score), new[] { one.left, one.right });
        Say.Check(answer.series, one.series);
    }

    static void Batch()
    {
        var second = New();
        second.offset = 2;
        var answers = Kinds("batch").predictBatch(new ArrayOfInstance { New(), second });
        Say.Check(answers.Select(answer => answer.shifted), new[] { 0.0, 4.0 });
    }

    static void Records()
    {
        var address = new EndpointAddress(url + "/records/soap/digit-reader/v1");
        var reader = new DigitReaderClient(new BasicHttpBinding(), address);
        var answer = reader.predict(scene);
        Say.Check(answer.text, "173");
        Say.Check(string.Concat(answer.digits.Select(found => found.digit[0].label)), "173");
        Say.Check(Math.Round(answer.digits[0].box.x), 86.0);
        Say.Check(reader.predict(picture).digits.Count, 0);
    }

    static void Conversation()
    {
        var chat = new ChatClient(new BasicHttpBinding(), new EndpointAddress(url + "/conversation/soap/chat/v1"));
        var first = chat.reply(null, "My name is Ada");
        var second = chat.reply(first.sessionId, "What is my name?");
        Say.Check(first.sessionState + " " + second.sessionState, "started continued");
        Say.Check(second.sentence, "Your name is Ada.");
    }

    static void InvalidInput(KindsClient kinds)
    {
        var one = New();
        one.level = 256;
        try { Predict(kinds, one); }
        catch (FaultException<soapsvc.kinds.v1.InvalidInput> e)
        {
            Say.Check(e.Detail.code + e.Detail.field + e.Detail.received, "out-of-rangelevel256");
            Say.Check(e.Detail.expected != "" && e.Detail.requestId != "", true);
            return;
        }
        throw new Exception("no fault");
    }

    static void ModelNotFound()
    {
        var address = new EndpointAddress(url + "/model-not-found/soap/inference/v1");
        try { new InferenceClient(new BasicHttpBinding(), address).getModel("nothing", null, null, null); }
        catch (FaultException<soapsvc.inference.v1.ModelNotFound> e)
        {
            Say.Check(e.Detail.code, "unknown-model");
            return;
        }
        throw new Exception("no fault");
    }

    static void OtherFaults()
    {
        var address = new EndpointAddress(url + "/other-faults/soap/inference/v1");
        foreach (var model in new[] { "full", "late", "gone", "locked" })
        {
            try
            {
                new InferenceClient(new BasicHttpBinding(), address).getModel(model, null, null, null);
                throw new Exception("no fault");
            }
            catch (FaultException<soapsvc.inference.v1.Overloaded> e)
            {
                Say.Check(model + e.Detail.retryAfterSeconds, "full2");
            }
            catch (FaultException<soapsvc.inference.v1.DeadlineExceeded> e)
            {
                Say.Check(model + e.Detail.deadlineSeconds.ToString(CultureInfo.InvariantCulture), "late1.5");
            }
            catch (FaultException<soapsvc.inference.v1.Unavailable> e)
            {
                Say.Check(model + e.Detail.retryAfterSeconds, "gone2");
            }
            catch (FaultException<soapsvc.inference.v1.AuthenticationFailed> e)
            {
                Say.Check(model + e.Detail.code, "lockedauthentication-failed");
            }
        }
    }

    static void Soap12()
    {
        var binding = Text(EnvelopeVersion.Soap12, AddressingVersion.None);
        Scalars(Kinds("soap12", binding, "soap12"));
        InvalidInput(Kinds("soap12", binding, "soap12"));
    }

    static void MtomOut(string feature, int size)
    {
        var content = new byte[size];
        new Random(size).NextBytes(content);
        var tensor = new soapsvc.inference.v1.Tensor
        {
            dtype = soapsvc.inference.v1.DType.uint8, shape = new soapsvc.inference.v1.ArrayOfLong { 1, size },
            content = content,
        };
        Say.Check(Echo(feature, Mtom(), tensor).content, content);
    }

    static void GzipOut()
    {
        var sent = new soapsvc.inference.v1.ArrayOfLong();
        sent.AddRange(Enumerable.Range(0, 3000).Select(one => (long)(one % 256)));
        var tensor = new soapsvc.inference.v1.Tensor
        {
            dtype = soapsvc.inference.v1.DType.uint8, shape = new soapsvc.inference.v1.ArrayOfLong { 1, 3000 }, longs = sent,
        };
        var transport = new HttpTransportBindingElement { DecompressionEnabled = true, MaxReceivedMessageSize = 1 << 26 };
        var version = MessageVersion.CreateVersion(EnvelopeVersion.Soap11, AddressingVersion.None);
        var binding = new CustomBinding(new TextMessageEncodingBindingElement(version, Encoding.UTF8), transport);
        Say.Check(Echo("gzip-out", binding, tensor).longs, sent);
    }

    static void Addressing()
    {
        var binding = Text(EnvelopeVersion.Soap11, AddressingVersion.WSAddressing10);
        Scalars(Kinds("addressing", binding));
        InvalidInput(Kinds("addressing", binding));
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
