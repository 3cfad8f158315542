"""C# stubs by Mono's two generators, svcutil (WCF) and wsdl.exe (ASMX), and programs compiled with Mono's mcs.

`python -m tests.clients.mono URL` writes the golden public APIs of the stubs anew, with a server running at URL
that serves faces too.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from lxml import etree

from tests.conftest import ROOT

GOLDEN = ROOT / "tests/data/stubs/csharp"
MODELS = ["chat", "digit-reader", "digits", "faces", "inference", "iris", "language"]
GENERATORS = ["svcutil", "wsdl"]
WCF = ["System.ServiceModel", "System.Runtime.Serialization"]
ASMX = ["System.Web.Services"]

_WSDL, _XS = "{http://schemas.xmlsoap.org/wsdl/}", "{http://www.w3.org/2001/XMLSchema}"
_CSHARP_TYPES = {"xs:string": "string", "xs:int": "int", "xs:double": "double"}


def title(model: str) -> str:
    """Return a model's name as the namespace of its stub has it: `digit-reader` gives DigitReader."""
    return "".join(word.capitalize() for word in model.split("-"))


def finished(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program of Mono, or one that it compiled, to its end."""
    name = str(command[0])
    if shutil.which(name) is None:
        pytest.fail(f"{name} is needed: install Mono (Debian: apt-get install mono-devel mono-mcs)")
    return subprocess.run([str(each) for each in command], capture_output=True, encoding="utf-8", timeout=300)


def run(*command: str | Path) -> str:
    """Run a program that must succeed, and return what it printed."""
    done = finished(*command)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def compiled(sources: Sequence[Path], program: Path, libraries: Sequence[str] = ()) -> Path:
    """Compile C# sources, to a library where the program's name ends so."""
    target = "library" if program.suffix == ".dll" else "exe"
    references = [f"-r:{library}" for library in libraries]
    run("mcs", "-langversion:7", f"-target:{target}", f"-out:{program}", *references, *sources)
    return program


def asmx_stub(url: str, model: str, folder: Path) -> Path:
    """Return what wsdl.exe makes of a model's WSDL."""
    stub = folder / f"{model}.wsdl.cs"
    run("wsdl", "-nologo", f"-n:{title(model)}V1", f"-out:{stub}", f"{url}/soap/{model}/v1?wsdl")
    return stub


def raw_wcf_stub(url: str, model: str, folder: Path) -> Path:
    """Return what Mono's svcutil makes of a model's WSDL, which it takes from a URL only."""
    stub = folder / f"{model}.svcutil.cs"
    run("svcutil", "--noLogo", "--noConfig", f"-n:{title(model)}V1", f"-o:{stub}", f"{url}/soap/{model}/v1?wsdl")
    return stub


def wcf_stub(url: str, model: str, contract: Path, folder: Path) -> Path:
    """Return Mono's stub with what dotnet-svcutil does and Mono's svcutil leaves out.

    That is: all types in the namespace that was asked for, the fault types with [FaultContract] on each operation, and
    the operation's SOAPAction (Mono swaps it with ReplyAction).
    """
    stub = raw_wcf_stub(url, model, folder)
    wsdl = etree.parse(contract).getroot()
    namespace, ours = wsdl.get("targetNamespace"), f"{title(model)}V1"
    theirs = str(namespace).removeprefix("urn:").replace(":", ".").replace("-", "")
    faults = _fault_elements(wsdl)
    text = stub.read_text(encoding="utf-8-sig")
    text = text.replace(f"namespace {ours} {{\n    \n}}\n", f"namespace {ours} {{\n", 1)
    text = text.replace(f"namespace {theirs} {{", f"}}\nnamespace {ours} {{").replace(f"{theirs}.", f"{ours}.")
    declared = "".join(
        f'[System.ServiceModel.FaultContract(typeof({name}), Name="{name}", Namespace="{namespace}")]\n    '
        for name in faults
    )
    operation = re.compile(
        r'\[(System\.ServiceModel\.OperationContract)Attribute\(Action="\*", ReplyAction="(.*?)"\)\]'
    )
    text, count = operation.subn(rf'{declared}[\1(Action="\2", ReplyAction="*")]', text)
    assert count == len(wsdl.findall(f"{_WSDL}portType/{_WSDL}operation"))
    classes = "".join(_fault_class(name, element, str(namespace)) for name, element in faults.items())
    stub.write_text(f"{text}\nnamespace {ours} {{\n{classes}}}\n")
    return stub


def _fault_elements(wsdl: etree._Element) -> dict[str, etree._Element]:
    names = {fault.get("name") for fault in wsdl.iter(f"{_WSDL}fault")}
    elements = wsdl.findall(f"{_WSDL}types/{_XS}schema/{_XS}element")
    return {element.attrib["name"]: element for element in elements if element.get("name") in names}


def _fault_class(name: str, element: etree._Element, namespace: str) -> str:
    members = "".join(
        f"    [System.Runtime.Serialization.DataMember(IsRequired=true, Order={order})]\n"
        f"    public {_CSHARP_TYPES[member.attrib['type']]} {member.attrib['name']} {{ get; set; }}\n"
        for order, member in enumerate(element.iter(f"{_XS}element"))
        if member is not element
    )
    contract = f'[System.Runtime.Serialization.DataContract(Name="{name}", Namespace="{namespace}")]'
    return f"  {contract}\n  public partial class {name} {{\n{members}  }}\n"


def public_api(url: str, model: str, generator: str, folder: Path) -> str:
    """Return the public API of a model's stub as text, a line for each type and member."""
    stub = {"svcutil": raw_wcf_stub, "wsdl": asmx_stub}[generator](url, model, folder)
    libraries = {"svcutil": WCF, "wsdl": ASMX}[generator]
    library = compiled([stub], folder / f"{model}.{generator}.dll", libraries)
    printer = compiled([ROOT / "tests/clients/csharp/PublicApi.cs"], folder / "PublicApi.exe")
    return run("mono", printer, library)


if __name__ == "__main__":
    for each_model in MODELS:
        for each_generator in GENERATORS:
            with tempfile.TemporaryDirectory() as temporary:
                api = public_api(sys.argv[1].rstrip("/"), each_model, each_generator, Path(temporary))
                (GOLDEN / f"{each_model}.{each_generator}.txt").write_text(api)
