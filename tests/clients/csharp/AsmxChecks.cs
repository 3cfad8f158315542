using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Web.Services.Protocols;
using System.Xml;

/// <summary>Calls each model with ASMX stubs (wsdl.exe) and prints what came back, a line "name=value" each.</summary>
public static class AsmxChecks
{
    public static void Main(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        Console.OutputEncoding = new UTF8Encoding(false);
        byte[] picture = File.ReadAllBytes(args[1]);
        Iris(new IrisV1.IrisService { Url = args[0] + "/soap/iris/v1", Timeout = 60000 });
        var digits = new DigitsV1.DigitsService { Url = args[0] + "/soap/digits/v1" };
        Print("digits", digits.predict(picture).probabilities[0].label);
        var language = new LanguageV1.LanguageService { Url = args[0] + "/soap/language/v1" };
        Print("language", language.predict("Bonjour tout le monde, comment allez-vous ?").probabilities[0].label);
        Kinds(new KindsV1.KindsService { Url = args[0] + "/soap/kinds/v1" }, picture);
        Inference(new InferenceV1.InferenceService { Url = args[0] + "/soap/inference/v1" });
    }

    private static void Iris(IrisV1.IrisService iris)
    {
        Print("iris", iris.predict(5.1, 3.5, 1.4, 0.2).probabilities[0].label);
        var virginica = new IrisV1.Instance { sepalLength = 6.3, sepalWidth = 3.3, petalLength = 6.0, petalWidth = 2.5 };
        IrisV1.Prediction[] answers = iris.predictBatch(Enumerable.Repeat(virginica, iris.getModelInfo().maxBatch).ToArray());
        Print("batch", answers.Length + " " + answers.Last().probabilities[0].label);
        try
        {
            iris.predict(5.1, 3.5, double.NaN, 0.2);
        }
        catch (SoapException e)
        {
            var names = new XmlNamespaceManager(new NameTable());
            names.AddNamespace("m", "urn:soapsvc:iris:v1");
            XmlNode fault = e.Detail.SelectSingleNode("m:InvalidInput", names);
            string[] members = { "code", "field", "expected", "received" };
            Print("fault", string.Join("|", members.Select(name => fault.SelectSingleNode("m:" + name, names).InnerText)));
        }
    }

    private static void Kinds(KindsV1.KindsService kinds, byte[] picture)
    {
        var numbers = new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity, 4, 5, 6 };
        var grid = new KindsV1.Tensor { dtype = KindsV1.DType.float32, shape = new long[] { 2, 3 }, doubles = numbers };
        foreach (double? offset in new double?[] { null, 0.5 })
        {
            var answer = kinds.predict(
                true, -3, 1L << 40, 200, double.NaN, offset, "你好 & <ü> 😀", 0.25, 0.75, new[] { 1.5, double.NaN },
                new long[] { 7, 8 }, new[] { "one", "", "zw & ö" }, grid, picture);
            Print("shifted", answer.shifted.ToString("R"));
            Print("note", answer.note);
            Print("numbers", answer.ratio + " " + string.Join(" ", answer.series) + " " + string.Join(" ", answer.grid.doubles));
            Print("words", string.Join("|", answer.words));
            Print("pixels", answer.pixels.content.Length.ToString());
        }
    }

    private static void Inference(InferenceV1.InferenceService inference)
    {
        Print("models", string.Join(" ", inference.listModels().Select(each => each.modelName)));
        var tensor = new InferenceV1.Tensor
        {
            dtype = InferenceV1.DType.float32,
            shape = new long[] { 1, 4 },
            doubles = new[] { 5.1, 3.5, 1.4, 0.2 },
        };
        var inputs = new[] { new InferenceV1.NamedTensor { name = "features", tensor = tensor } };
        var answer = inference.predict("iris", null, null, null, inputs, null);
        Print("tensor", (answer.outputs[0].tensor.doubles[0] > 0.9).ToString());
    }

    private static void Print(string name, string value)
    {
        Console.WriteLine(name + "=" + value);
    }
}
