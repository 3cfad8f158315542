using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.ServiceModel;

namespace Soapsvc.Client
{
    /// <summary>Asks each bundled model once, and faces, and shows how a typed fault is caught.</summary>
    public static class Program
    {
        private const string DefaultUrl = "http://localhost:8080";
        private const string Usage = "usage: SoapsvcClient [URL [IMAGE]]   URL: " + DefaultUrl + " or what SOAPSVC_URL says";

        /// <summary>Returns 0 when every model answered, 1 when one did not, 2 for wrong arguments.</summary>
        public static int Main(string[] args)
        {
            string url = args.Length > 0 ? args[0] : Environment.GetEnvironmentVariable("SOAPSVC_URL") ?? DefaultUrl;
            string image = args.Length > 1 ? args[1] : Path.Combine(AppContext.BaseDirectory, "digit.png");
            if (args.Length > 2 || !Uri.TryCreate(url.TrimEnd('/') + "/", UriKind.Absolute, out Uri root))
            {
                Console.Error.WriteLine(Usage);
                return 2;
            }
            try
            {
                AskIris(root);
                AskDigits(root, File.ReadAllBytes(image));
                AskLanguage(root, "Guten Morgen, wie geht es Ihnen?");
                Chat(root, "My name is Ada", "What is 3 plus 4?", "What is my name?");
                AskDigitReader(root, Picture("scene.jpg"));
                AskFaces(root, Picture("astronaut.jpg"));
                return 0;
            }
            catch (IOException e)
            {
                Console.Error.WriteLine("The image can't be read: " + e.Message);
            }
            catch (FaultException e)
            {
                Console.Error.WriteLine("The service refused: " + e.Message);
            }
            catch (TimeoutException e)
            {
                Console.Error.WriteLine("The service did not answer in time: " + e.Message);
            }
            catch (CommunicationException e)
            {
                Console.Error.WriteLine("The service can't be reached: " + e.Message);
            }
            return 1;
        }

        private static void AskIris(Uri root)
        {
            var address = new Uri(root, "soap/iris/v1");
            using (var iris = new ServiceClient<IrisV1.Iris>(new ServiceBinding().Soap11(address), address))
            {
                IrisV1.Prediction flower = iris.Call(service => service.predict(5.1, 3.5, 1.4, 0.2));
                Show("iris", flower.probabilities[0].label, flower.probabilities[0].score);

                var flowers = new IrisV1.ArrayOfInstance
                {
                    new IrisV1.Instance { sepalLength = 5.1, sepalWidth = 3.5, petalLength = 1.4, petalWidth = 0.2 },
                    new IrisV1.Instance { sepalLength = 6.3, sepalWidth = 3.3, petalLength = 6.0, petalWidth = 2.5 },
                };
                IEnumerable<IrisV1.Prediction> answers = iris.Call(service => service.predictBatch(flowers));
                IEnumerable<string> labels = answers.Select(each => each.probabilities[0].label);
                Console.WriteLine("iris, two flowers: " + string.Join(", ", labels));

                try
                {
                    iris.Call(service => service.predict(5.1, 3.5, double.NaN, 0.2));
                }
                catch (FaultException<IrisV1.InvalidInput> e)
                {
                    IrisV1.InvalidInput fault = e.Detail;
                    Console.WriteLine(fault.field + " must be " + fault.expected + ", but was " + fault.received);
                }
            }
        }

        private static void AskDigits(Uri root, byte[] image)
        {
            var address = new Uri(root, "soap/digits/v1");
            using (var digits = new ServiceClient<DigitsV1.Digits>(new ServiceBinding().Soap11(address), address))
            {
                DigitsV1.Prediction digit = digits.Call(service => service.predict(image));
                Show("digits", digit.probabilities[0].label, digit.probabilities[0].score);
            }
        }

        private static void AskLanguage(Uri root, string text)
        {
            var address = new Uri(root, "soap/language/v1");
            using (var language = new ServiceClient<LanguageV1.Language>(new ServiceBinding().Soap11(address), address))
            {
                LanguageV1.Prediction answer = language.Call(service => service.predict(text));
                Show("language", answer.probabilities[0].label, answer.probabilities[0].score);
            }
        }

        private static void Chat(Uri root, params string[] questions)
        {
            var address = new Uri(root, "soap/chat/v1");
            using (var chat = new ServiceClient<ChatV1.Chat>(new ServiceBinding().Soap11(address), address))
            {
                string session = null;
                foreach (string question in questions)
                {
                    ChatV1.Answer answer = chat.Call(service => service.reply(session, question));
                    session = answer.sessionId;
                    Console.WriteLine("chat, " + answer.sessionState + ": " + answer.sentence);
                }
            }
        }

        private static void AskDigitReader(Uri root, byte[] image)
        {
            var address = new Uri(root, "soap/digit-reader/v1");
            using (var reader = new ServiceClient<DigitReaderV1.DigitReader>(new ServiceBinding().Soap11(address), address))
            {
                DigitReaderV1.Prediction answer = reader.Call(service => service.predict(image));
                DigitReaderV1.Box first = answer.digits[0].box;
                Console.WriteLine(string.Format(
                    CultureInfo.InvariantCulture, "digit-reader: {0}, the first at {1:F0}, {2:F0}", answer.text, first.x, first.y));
            }
        }

        private static void AskFaces(Uri root, byte[] image)
        {
            var address = new Uri(root, "soap/faces/v1");
            using (var faces = new ServiceClient<FacesV1.Faces>(new ServiceBinding().Soap11(address), address))
            {
                try
                {
                    FacesV1.Prediction answer = faces.Call(service => service.predict(image));
                    FacesV1.DetectedFace first = answer.faces[0];
                    Console.WriteLine(string.Format(
                        CultureInfo.InvariantCulture, "faces: {0}, the first {1} at {2}, {3}", answer.faces.Count,
                        first.emotion[0].label, first.box.x, first.box.y));
                }
                catch (EndpointNotFoundException)
                {
                    Console.WriteLine("faces: not served here; `make example-faces` makes it");
                }
            }
        }

        private static byte[] Picture(string name)
        {
            return File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, name));
        }

        private static void Show(string model, string label, double score)
        {
            Console.WriteLine(string.Format(CultureInfo.InvariantCulture, "{0}: {1} {2:F4}", model, label, score));
        }
    }
}
