"""Mono: proxies of wsdl.exe (ASP.NET web services) and of svcutil (WCF)."""

from __future__ import annotations

import re

from interop.client import PROGRAMS, Built, Cell, Client, Verdict, Workplace
from interop.models import MODELS
from interop.tools import need, run

_MONO = PROGRAMS / "mono"
_FAULTS = {
    "kinds": ("InvalidInput",),
    "inference": ("ModelNotFound", "Overloaded", "DeadlineExceeded", "Unavailable", "AuthenticationFailed"),
}
_USED = ("Kinds.cs", "Kinds12.cs", "Inference.cs", "DigitReader.cs", "Chat.cs")
_OPERATION = re.compile(r'OperationContractAttribute\(Action="\*", ReplyAction="(urn:[^"]+):([^":]+)"\)')


def _version() -> str:
    return "Mono " + run(["mono", "--version"], _MONO).split("version ")[1].split()[0]


def build_asmx(place: Workplace) -> Built:
    """Make and compile the proxies of wsdl.exe."""
    need(("mono", "mcs", "wsdl"), ("mono-devel", "mono-mcs"))
    sources = []
    for model in MODELS:
        for ending, suffix, protocol in ((".wsdl", "", "Soap"), (".soap12.wsdl", "12", "Soap12")):
            name = f"{model.title().replace('-', '')}{suffix}"
            options = ["/nologo", f"/n:Stubs.{name}", f"/out:{name}.cs", f"/protocol:{protocol}"]
            run(["wsdl", *options, place.wsdls / f"{model}{ending}"], place.folder)
            sources.append(f"{name}.cs")
    used = [source for source in sources if source in _USED]
    references = ["-r:System.Web.Services", "-r:System.Xml"]
    run(["mcs", "-nowarn:0169", *references, "-out:Asmx.exe", *used, _MONO / "Asmx.cs", _MONO / "Say.cs"], place.folder)
    return Built(_version(), ["mono", place.folder / "Asmx.exe"], {"wsdl": Cell(Verdict.YES)})


def build_wcf(place: Workplace) -> Built:
    """Make the proxies of svcutil, put right what it gets wrong, and compile them."""
    need(("mono", "mcs", "svcutil"), ("mono-devel", "mono-mcs"))
    for model in MODELS:
        for path in ("soap", "soap12"):
            stub = place.folder / f"{model}.{path}.cs"
            run(["svcutil", f"{place.url}/{path}/{model}/v1?wsdl", f"-out:{stub}"], place.folder)
    used = [_put_right(place, model) for model in ("kinds", "inference", "digit-reader", "chat")]
    references = ["-r:System.ServiceModel", "-r:System.Runtime.Serialization"]
    run(
        ["mcs", *references, "-out:Wcf.exe", *used, _MONO / "Wcf.cs", _MONO / "Faults.cs", _MONO / "Say.cs"],
        place.folder,
    )
    note = (
        "svcutil leaves out faults, swaps Action and ReplyAction, and drops the I of an interface's name; the "
        "try puts it right in the text. dotnet-svcutil does not need it"
    )
    return Built(_version(), ["mono", place.folder / "Wcf.exe"], {"wsdl": Cell(Verdict.YES, note)})


def _put_right(place: Workplace, model: str) -> str:
    source = (place.folder / f"{model}.soap.cs").read_text(encoding="utf-8")
    faults = "".join(
        f'System.ServiceModel.FaultContract(typeof(soapsvc.{model}.v1.{name}), Name="{name}", '
        f'Namespace="urn:soapsvc:{model}:v1"), '
        for name in _FAULTS.get(model, ())
    )
    right = _OPERATION.sub(r'OperationContractAttribute(Action="\1:\2", ReplyAction="*")', source)
    right = right.replace("[System.ServiceModel.OperationContract", f"[{faults}System.ServiceModel.OperationContract")
    right = re.sub(r"\bnferenceClient\b", "InferenceClient", right)
    (place.folder / f"{model}.cs").write_text(right, encoding="utf-8")
    return f"{model}.cs"


_MTOM = (
    "MTOM message is not multipart",
    "Mono sends multipart/related without a boundary, and cannot read the plain fault that answers it",
)
CLIENTS = (
    Client(
        "asmx", "Mono wsdl.exe", build_asmx,
        lacks=dict.fromkeys(
            ("mtom-in", "mtom-100", "mtom-100k", "mtom-20m", "addressing"), "ASP.NET needs WSE for it, Mono has none"
        ) | {"gzip-in": "not without code of one's own"},
    ),
    Client(
        "wcf", "Mono svcutil, WCF", build_wcf,
        lacks={"gzip-in": "WCF compresses no requests"},
        fails=dict.fromkeys(("mtom-in", "mtom-100", "mtom-100k", "mtom-20m"), _MTOM)
        | {"gzip-out": ("not so on the wire", "Mono asks for no compression, even with DecompressionEnabled")},
    ),
)  # fmt: skip
