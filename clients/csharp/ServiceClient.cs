using System;
using System.ServiceModel;
using System.ServiceModel.Channels;

namespace Soapsvc.Client
{
    /// <summary>
    /// Calls one service. Keep one for the life of the program and share it between threads: the factory costs
    /// much, a channel little, and each call has a channel of its own.
    /// </summary>
    /// <typeparam name="T">The interface of the contract, made by dotnet-svcutil.</typeparam>
    public sealed class ServiceClient<T> : IDisposable where T : class
    {
        private readonly ChannelFactory<T> factory;

        /// <summary>Makes a client of the service at an address; nothing is sent yet.</summary>
        public ServiceClient(Binding binding, Uri address)
        {
            factory = new ChannelFactory<T>(binding, new EndpointAddress(address.AbsoluteUri));
        }

        /// <summary>Makes one call. Throws FaultException, CommunicationException or TimeoutException.</summary>
        public TResult Call<TResult>(Func<T, TResult> call)
        {
            T service = factory.CreateChannel();
            var channel = (IClientChannel)service;
            try
            {
                TResult result = call(service);
                channel.Close();
                return result;
            }
            catch (FaultException)
            {
                channel.Close(); // an answer came: the channel is sound
                throw;
            }
            catch
            {
                channel.Abort(); // Close would wait, or throw in the place of the error
                throw;
            }
        }

        /// <summary>Closes what the calls shared.</summary>
        public void Dispose()
        {
            try
            {
                factory.Close();
            }
            catch (CommunicationException)
            {
                factory.Abort();
            }
            catch (TimeoutException)
            {
                factory.Abort();
            }
        }
    }
}
