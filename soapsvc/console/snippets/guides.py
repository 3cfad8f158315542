"""How to make a first call from each language: the steps, with files and commands to paste."""

from __future__ import annotations

import io
import keyword
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soapsvc.console.snippets import csharp, java
from soapsvc.console.snippets.csharp import CSharp
from soapsvc.console.snippets.java import Java
from soapsvc.console.snippets.literals import arguments, files
from soapsvc.console.snippets.scripts import Php, Python
from soapsvc.soap.ns import ContractNames, SoapVersion
from soapsvc.soap.plain_words import Operation, Value

Render = Callable[..., str]  # a template's name and values -> its text
_ZIP_DATE = (2020, 1, 1, 0, 0, 0)  # the same bytes at each request


@dataclass(frozen=True)
class Step:
    """One thing to do. file: the name to save `text` under; without one it is commands for a shell."""

    words: str
    text: str
    file: str = ""


@dataclass(frozen=True)
class Guide:
    """The way to a first call. key: its name in addresses.  project: whether its files come as one archive too."""

    key: str
    title: str
    needs: str
    steps: Sequence[Step]
    project: bool = False

    @property
    def files(self) -> Mapping[str, str]:
        """Its files by their names."""
        return {step.file: step.text for step in self.steps if step.file}


@dataclass(frozen=True)
class FirstCall:
    """What the guides of one contract are about: the sample of one operation, and where this server is.

    model_url: of the model's page, below which the console gives samples as files.
    """

    names: ContractNames
    operation: Operation
    values: Sequence[Value]
    base_url: str

    @property
    def model_url(self) -> str:
        """The model's page."""
        return f"{self.base_url}/models/{self.names.model}"

    @property
    def address(self) -> str:
        """The endpoint of SOAP 1.1, which every tool speaks."""
        return self.base_url + self.names.path(SoapVersion.SOAP11)

    @property
    def wsdl(self) -> str:
        """Where its WSDL is."""
        return f"{self.address}?wsdl"


def guides(call: FirstCall, render: Render) -> list[Guide]:
    """Return every guide."""
    return [_curl(call), *_java(call, render), _csharp(call, render), _python(call, render), _php(call, render)]


def archive(guide: Guide, others: Mapping[str, bytes]) -> bytes:
    """Return a guide's files as a zip file. others: what else goes in, by name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in {**{name: text.encode() for name, text in guide.files.items()}, **others}.items():
            packed.writestr(zipfile.ZipInfo(name, _ZIP_DATE), text)
    return content.getvalue()


def sample_query(names: ContractNames) -> str:
    """Return what an address of a sample needs besides, to mean this contract."""
    return f"?contract={names.version}"


def _curl(call: FirstCall) -> Guide:
    names, name = call.names, call.operation.name
    sample = f"{call.model_url}/samples/{name}.xml{sample_query(names)}"
    send = (
        f"curl -H 'Content-Type: text/xml; charset=utf-8' -H 'SOAPAction: \"{names.action(name)}\"' \\\n"
        f"  --data-binary @request.xml '{call.address}'"
    )
    fetch = Step("Get the sample request, or save the one above as request.xml:", f"curl -o request.xml '{sample}'")
    return Guide("curl", "curl", "curl", [fetch, Step("Send it:", send)])


def _java(call: FirstCall, render: Render) -> list[Guide]:
    names, language = call.names, Java()
    values = arguments(language, call.operation.inputs, call.values)
    types = sorted({names.title, names.service, call.operation.result.type, *language.types})
    made = {
        "before": language.before, "types": types, "arguments": values,
        "printed": list(java.printed(call.operation.result)),
    }  # fmt: skip
    shared = [
        Step("Save the contract:", f"curl --create-dirs -o src/main/resources/{names.model}.wsdl '{call.wsdl}'"),
        *_file_steps(call),
        Step("The call:", _rendered(render, "FirstCall.java", call, java=made), "src/main/java/client/FirstCall.java"),
        Step("Run it:", "mvn -q compile exec:java"),
    ]

    def guide(key: str, title: str, tool: str) -> Guide:
        pom = Step(f"In an empty folder, a build that makes stubs with {tool}:",
                   _rendered(render, f"pom-{key}.xml", call), "pom.xml")  # fmt: skip
        return Guide(f"java-{key}", title, "a JDK 17 or newer, and Maven", [pom, *shared], project=True)

    return [guide("ri", "Java (wsimport)", "wsimport"), guide("cxf", "Java (CXF)", "CXF's wsdl2java")]


def _csharp(call: FirstCall, render: Render) -> Guide:
    names = call.names
    namespace = f"{names.title}V{names.version}"
    values = arguments(CSharp(namespace), call.operation.inputs, call.values)
    made = {
        "arguments": values, "printed": list(csharp.printed(call.operation.result)),
        "repeats": any("Many<" in value for _, value in values),
    }  # fmt: skip
    program = _rendered(
        render, "Program.cs", call, csharp=made, namespace=namespace, https=call.base_url.startswith("https")
    )
    stubs = (
        "dotnet tool install --global dotnet-svcutil\n"
        f"curl -o {names.model}.wsdl '{call.wsdl}'\n"
        f"dotnet-svcutil {names.model}.wsdl --sync --outputDir Stubs --namespace '*,{namespace}'"
    )
    steps = [
        Step("In an empty folder, a project:", _rendered(render, "client.csproj", call), "client.csproj"),
        Step("Make stubs of the contract:", stubs),
        *_file_steps(call),
        Step("The call:", program, "Program.cs"),
        Step("Run it:", "dotnet run"),
    ]
    return Guide("csharp", "C# (dotnet-svcutil)", "a .NET SDK 8 or newer", steps, project=True)


def _python(call: FirstCall, render: Render) -> Guide:
    values = [
        (f'**{{"{name}": {value}}}' if keyword.iskeyword(name) else f"{name}={value}")
        for name, value in arguments(Python(), call.operation.inputs, call.values)
        if value != Python.nothing
    ]
    made = {
        "arguments": values,
        "decodes": any("b64decode(" in value for value in values),
        "reads": any("Path(" in value for value in values),
    }
    text = _rendered(render, "call.py.txt", call, python=made)
    steps = [
        Step("Get zeep:", "pip install zeep"), *_file_steps(call), Step("The call:", text, "call.py"),
        Step("Run it:", "python call.py"),
    ]  # fmt: skip
    return Guide("python", "Python (zeep)", "Python 3.9 or newer", steps)


def _php(call: FirstCall, render: Render) -> Guide:
    values = [pair for pair in arguments(Php(), call.operation.inputs, call.values) if pair[1] != Php.nothing]
    text = _rendered(render, "call.php.txt", call, php={"arguments": values})
    steps = [*_file_steps(call), Step("The call:", text, "call.php"), Step("Run it:", "php call.php")]
    return Guide("php", "PHP", "PHP with its extension soap", steps)


def _file_steps(call: FirstCall) -> list[Step]:
    """Return the steps that get what is too large to stand in a program."""
    query, operation = sample_query(call.names), call.operation.name
    return [
        Step(
            f"Get the sample's {each.field.name}, or take a file of your own:",
            f"curl -o {each.field.name} '{call.model_url}/samples/{operation}/{each.field.name}{query}'",
        )
        for each in files(call.values)
    ]


def _rendered(render: Render, template: str, call: FirstCall, **values: Any) -> str:
    return render(
        f"snippets/{template}", names=call.names, operation=call.operation, result=call.operation.result,
        address=call.address, wsdl=call.wsdl, **values,
    )  # fmt: skip
