using System;
using System.ServiceModel;
using System.ServiceModel.Channels;
using System.Text;
using System.Xml;

namespace Soapsvc.Client
{
    /// <summary>How a client speaks to the service: SOAP version, encoding, timeouts and sizes.</summary>
    public sealed class ServiceBinding
    {
        /// <summary>Time for a connection.</summary>
        public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

        /// <summary>Time for a whole call, from the first byte sent to the last one read.</summary>
        public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(60);

        /// <summary>The largest answer that is read. WCF's default, 64 KiB, is too small for images and batches.</summary>
        public int MaxAnswerBytes { get; set; } = 64 * 1024 * 1024;

        /// <summary>Sends byte arrays as attachments instead of base64.</summary>
        public bool Mtom { get; set; }

        /// <summary>Returns a binding for addresses under /soap/.</summary>
        public Binding Soap11(Uri address)
        {
            var binding = new BasicHttpBinding
            {
                MaxReceivedMessageSize = MaxAnswerBytes,
                MaxBufferSize = MaxAnswerBytes,
                MessageEncoding = Mtom ? WSMessageEncoding.Mtom : WSMessageEncoding.Text,
            };
            binding.Security.Mode = IsHttps(address) ? BasicHttpSecurityMode.Transport : BasicHttpSecurityMode.None;
            XmlDictionaryReaderQuotas.Max.CopyTo(binding.ReaderQuotas);
            return WithTimeouts(binding);
        }

        /// <summary>Returns a binding for addresses under /soap12/.</summary>
        public Binding Soap12(Uri address)
        {
            var version = MessageVersion.CreateVersion(EnvelopeVersion.Soap12, AddressingVersion.None);
            var transport = IsHttps(address) ? new HttpsTransportBindingElement() : new HttpTransportBindingElement();
            transport.MaxReceivedMessageSize = MaxAnswerBytes;
            transport.MaxBufferSize = MaxAnswerBytes;
            return WithTimeouts(new CustomBinding(Mtom ? MtomEncoding(version) : TextEncoding(version), transport));
        }

        private MessageEncodingBindingElement MtomEncoding(MessageVersion version)
        {
            var encoding = new MtomMessageEncodingBindingElement(version, Encoding.UTF8);
            encoding.MaxBufferSize = MaxAnswerBytes;
            XmlDictionaryReaderQuotas.Max.CopyTo(encoding.ReaderQuotas);
            return encoding;
        }

        private static MessageEncodingBindingElement TextEncoding(MessageVersion version)
        {
            var encoding = new TextMessageEncodingBindingElement(version, Encoding.UTF8);
            XmlDictionaryReaderQuotas.Max.CopyTo(encoding.ReaderQuotas);
            return encoding;
        }

        private Binding WithTimeouts(Binding binding)
        {
            binding.OpenTimeout = ConnectTimeout;
            binding.CloseTimeout = ConnectTimeout;
            binding.SendTimeout = CallTimeout;
            binding.ReceiveTimeout = CallTimeout;
            return binding;
        }

        private static bool IsHttps(Uri address)
        {
            return address.Scheme == Uri.UriSchemeHttps;
        }
    }
}
