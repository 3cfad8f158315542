using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.ServiceModel;
using System.Text;
using System.Threading.Tasks;
using Soapsvc.Client;

/// <summary>Calls `kinds`, `iris`, `inference` with WCF stubs and prints what came back, lines "name=value".</summary>
public static class WcfChecks
{
    private static Uri root;
    private static bool soap12;

    public static void Main(string[] args)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        Console.OutputEncoding = new UTF8Encoding(false);
        root = new Uri(args[0]);
        soap12 = args[1] == "soap12";
        using (var kinds = Client<KindsV1.Kinds>("kinds"))
            Kinds(kinds, File.ReadAllBytes(args[2]));
        using (var iris = Client<IrisV1.Iris>("iris"))
            Iris(iris);
        using (var inference = Client<InferenceV1.Inference>("inference"))
            Inference(inference);
        Silence();
    }

    private static ServiceClient<T> Client<T>(string model) where T : class
    {
        var address = new Uri(root, (soap12 ? "/soap12/" : "/soap/") + model + "/v1");
        var binding = new ServiceBinding();
        return new ServiceClient<T>(soap12 ? binding.Soap12(address) : binding.Soap11(address), address);
    }

    private static void Kinds(ServiceClient<KindsV1.Kinds> kinds, byte[] picture)
    {
        foreach (double? offset in new double?[] { null, 0.5 })
        {
            string given = offset == null ? "null" : Text(offset.Value);
            Print("shifted by " + given, Text(Predict(kinds, offset, "", 0, picture).shifted));
        }

        KindsV1.Prediction answer = Predict(kinds, null, "你好 & <ü> ]]> 😀", 0.1, picture);
        Print("note", answer.note);
        Print("words", string.Join("|", answer.words));
        Print("integers", answer.flag + " " + answer.count + " " + answer.total + " " + answer.level);
        Print("codes", string.Join(" ", answer.codes));
        Print("ratio", Text(answer.ratio));
        Print("series", string.Join(" ", answer.series.Select(Text)));
        Print("scores", string.Join(" ", answer.scores.Select(each => each.label + ":" + Text(each.score))));
        KindsV1.Tensor grid = answer.grid;
        Print("grid", grid.dtype + " " + string.Join("x", grid.shape) + " " + string.Join(" ", grid.doubles.Select(Text)));
        Print("grid without", (grid.longs == null) + " " + (grid.strings == null) + " " + (grid.content == null));
        Print("pixels", answer.pixels.dtype + " " + answer.pixels.content.Length);
        foreach (double special in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity })
            Print("ratio " + Text(special), Text(Predict(kinds, null, "", special, picture).ratio));
        Refused(
            "null text", () => Predict(kinds, null, null, 0, picture),
            (KindsV1.InvalidInput fault) => fault.code + " " + fault.field);
    }

    private static KindsV1.Prediction Predict(
        ServiceClient<KindsV1.Kinds> kinds, double? offset, string note, double ratio, byte[] picture)
    {
        var grid = new KindsV1.Tensor
        {
            dtype = KindsV1.DType.float32,
            shape = new KindsV1.ArrayOfLong { 2, 3 },
            doubles = new KindsV1.ArrayOfDouble { double.NaN, double.PositiveInfinity, double.NegativeInfinity, 4, 5, 6 },
        };
        return kinds.Call(service => service.predict(
            true, -3, 1L << 40, 200, ratio, offset, note, 0.25, 0.75,
            new KindsV1.ArrayOfDouble { 1.5, double.NaN, double.PositiveInfinity },
            new KindsV1.ArrayOfLong { 7, long.MinValue }, new KindsV1.ArrayOfString { "one", "", "zw & ö" }, grid, picture));
    }

    private static void Iris(ServiceClient<IrisV1.Iris> iris)
    {
        IrisV1.ModelInfo info = iris.Call(service => service.getModelInfo());
        Print("info", info.name + " " + info.modelVersion + " " + info.contractVersion + " " + info.maxBatch);

        var batch = new IrisV1.ArrayOfInstance();
        for (int i = 0; i < info.maxBatch; i++)
            batch.Add(i % 2 == 0 ? Flower(1.4, 0.2) : Flower(6.0, 2.5));
        List<IrisV1.Prediction> answers = iris.Call(service => service.predictBatch(batch));
        Print("batch", answers.Count + " " + answers[0].probabilities[0].label + " " + answers[999].probabilities[0].label);

        batch[3].petalLength = double.NaN;
        Refused(
            "batch fault", () => iris.Call(service => service.predictBatch(batch)),
            (IrisV1.InvalidInput fault) => string.Join(
                "|", fault.code, fault.field, fault.expected, fault.received, fault.message, fault.requestId.Length));

        var labels = new string[40];
        Parallel.For(0, labels.Length, i =>
            labels[i] = iris.Call(service => service.predict(5.1, 3.5, 1.4, 0.2)).probabilities[0].label);
        Print("threads", string.Join(" ", labels.Distinct()) + " " + labels.Length);
    }

    private static IrisV1.Instance Flower(double petalLength, double petalWidth)
    {
        return new IrisV1.Instance { sepalLength = 5.9, sepalWidth = 3.4, petalLength = petalLength, petalWidth = petalWidth };
    }

    private static void Inference(ServiceClient<InferenceV1.Inference> inference)
    {
        Print("models", string.Join(" ", inference.Call(service => service.listModels()).Select(each => each.modelName)));
        Refused("unknown model", () => inference.Call(service => service.getModel("nothing", null, null, null)),
            (InferenceV1.ModelNotFound fault) => fault.code);
        byte[] flower = new[] { 5.1f, 3.5f, 1.4f, 0.2f }.SelectMany(BitConverter.GetBytes).ToArray();
        var tensor = new InferenceV1.Tensor
        {
            dtype = InferenceV1.DType.float32,
            shape = new InferenceV1.ArrayOfLong { 1, 4 },
            content = flower,
        };
        var features = new InferenceV1.NamedTensor { name = "features", tensor = tensor };
        var inputs = new InferenceV1.ArrayOfNamedTensor { features };
        var answer = inference.Call(service => service.predict("iris", 1, null, null, inputs, null));
        InferenceV1.Tensor output = answer.outputs[0].tensor;
        Print("tensor", output.dtype + " " + string.Join("x", output.shape) + " " + (BitConverter.ToSingle(output.content, 0) > 0.9));
    }

    /// <summary>Calls a server that takes the connection and never answers.</summary>
    private static void Silence()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = new Uri("http://" + listener.LocalEndpoint);
        var binding = new ServiceBinding { CallTimeout = TimeSpan.FromSeconds(1) };
        try
        {
            var client = new ServiceClient<IrisV1.Iris>(soap12 ? binding.Soap12(address) : binding.Soap11(address), address);
            client.Call(service => service.getModelInfo());
        }
        catch (Exception e)
        {
            Print("silence", e.GetType().Name);
        }
        listener.Stop();
    }

    private static void Refused<T, TFault>(string name, Func<T> call, Func<TFault, string> tell)
    {
        try
        {
            call();
            Print(name, "not refused");
        }
        catch (FaultException<TFault> e)
        {
            Print(name, tell(e.Detail));
        }
    }

    private static string Text(double value)
    {
        return value.ToString("R");
    }

    private static void Print(string name, string value)
    {
        Console.WriteLine(name + "=" + value);
    }
}
