// The fault types that Mono's svcutil leaves out; dotnet-svcutil makes them.
using System.Runtime.Serialization;

namespace soapsvc.kinds.v1
{
    [DataContract(Name = "InvalidInput", Namespace = "urn:soapsvc:kinds:v1")]
    public class InvalidInput
    {
        [DataMember(IsRequired = true, Order = 0)] public string code;
        [DataMember(IsRequired = true, Order = 1)] public string message;
        [DataMember(IsRequired = true, Order = 2)] public string requestId;
        [DataMember(IsRequired = true, Order = 3)] public string field;
        [DataMember(IsRequired = true, Order = 4)] public string expected;
        [DataMember(IsRequired = true, Order = 5)] public string received;
    }
}

namespace soapsvc.inference.v1
{
    [DataContract(Name = "ModelNotFound", Namespace = "urn:soapsvc:inference:v1")]
    public class ModelNotFound
    {
        [DataMember(IsRequired = true, Order = 0)] public string code;
        [DataMember(IsRequired = true, Order = 1)] public string message;
        [DataMember(IsRequired = true, Order = 2)] public string requestId;
    }

    [DataContract(Name = "Overloaded", Namespace = "urn:soapsvc:inference:v1")]
    public class Overloaded
    {
        [DataMember(IsRequired = true, Order = 0)] public string code;
        [DataMember(IsRequired = true, Order = 1)] public string message;
        [DataMember(IsRequired = true, Order = 2)] public string requestId;
        [DataMember(IsRequired = true, Order = 3)] public int retryAfterSeconds;
    }

    [DataContract(Name = "DeadlineExceeded", Namespace = "urn:soapsvc:inference:v1")]
    public class DeadlineExceeded
    {
        [DataMember(IsRequired = true, Order = 0)] public string code;
        [DataMember(IsRequired = true, Order = 1)] public string message;
        [DataMember(IsRequired = true, Order = 2)] public string requestId;
        [DataMember(IsRequired = true, Order = 3)] public double deadlineSeconds;
    }

    [DataContract(Name = "Unavailable", Namespace = "urn:soapsvc:inference:v1")]
    public class Unavailable
    {
        [DataMember(IsRequired = true, Order = 0)] public string code;
        [DataMember(IsRequired = true, Order = 1)] public string message;
        [DataMember(IsRequired = true, Order = 2)] public string requestId;
        [DataMember(IsRequired = true, Order = 3)] public int retryAfterSeconds;
    }

    [DataContract(Name = "AuthenticationFailed", Namespace = "urn:soapsvc:inference:v1")]
    public class AuthenticationFailed
    {
        [DataMember(IsRequired = true, Order = 0)] public string code;
        [DataMember(IsRequired = true, Order = 1)] public string message;
        [DataMember(IsRequired = true, Order = 2)] public string requestId;
    }
}
