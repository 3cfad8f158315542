"""The C# client and stubs of both .NET generators, made and run by Mono, call the server.

What Mono can't show: dotnet-svcutil's own output, MTOM (its encoder writes a multipart without a boundary), and the
limits on an answer's size, which it passes over.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
import requests

from tests.clients import mono
from tests.conftest import ROOT, Server

CLIENT = ROOT / "clients/csharp"
PROGRAMS = ROOT / "tests/clients/csharp"
PICTURE, SCENE = CLIENT / "digit.png", CLIENT / "scene.jpg"
PICTURES = [PICTURE, SCENE, ROOT / "examples/astronaut.jpg"]
CONTRACTS = {model: ROOT / f"wsdl/{model}.wsdl" for model in mono.MODELS} | {"kinds": ROOT / "tests/data/kinds.wsdl"}


@pytest.fixture(scope="session")
def wcf_stubs(faces_server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("wcf")
    return {model: mono.wcf_stub(faces_server.url, model, wsdl, folder) for model, wsdl in CONTRACTS.items()}


@pytest.fixture(scope="session")
def client(wcf_stubs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """clients/csharp as a program, with its images beside it."""
    folder = tmp_path_factory.mktemp("client")
    for picture in PICTURES:
        (folder / picture.name).write_bytes(picture.read_bytes())
    stubs = [wcf_stubs[model] for model in ("iris", "digits", "language", "chat", "digit-reader", "faces")]
    return mono.compiled([*sorted(CLIENT.glob("*.cs")), *stubs], folder / "SoapsvcClient.exe", mono.WCF)


@pytest.fixture(scope="session")
def wcf_checks(wcf_stubs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    stubs = [wcf_stubs[model] for model in ("iris", "kinds", "inference")]
    sources = [PROGRAMS / "WcfChecks.cs", CLIENT / "ServiceBinding.cs", CLIENT / "ServiceClient.cs"]
    return mono.compiled([*sources, *stubs], tmp_path_factory.mktemp("checks") / "WcfChecks.exe", mono.WCF)


def code(page: Path) -> str:
    """Return the one block of C# on a page of the documentation."""
    (found,) = re.findall(r"^```csharp\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    return str(found)


def test_first_call_of_the_guide_prints_what_it_says(
    server: Server, wcf_stubs: dict[str, Path], tmp_path: Path
) -> None:
    page = ROOT / "docs/call-from-csharp.md"
    (tmp_path / "Program.cs").write_text(code(page).replace("http://localhost:8080", server.url))
    program = mono.compiled([tmp_path / "Program.cs", wcf_stubs["iris"]], tmp_path / "FirstCall.exe", mono.WCF)
    (shown,) = re.findall(r"^```text\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    assert mono.run("mono", program) == shown


def test_csharp_of_the_pages_compiles(wcf_stubs: dict[str, Path], tmp_path: Path) -> None:
    sources = [CLIENT / "ServiceBinding.cs", CLIENT / "ServiceClient.cs", wcf_stubs["iris"]]
    (tmp_path / "Pages.cs").write_text(
        "using System; using System.ServiceModel; using IrisV1; using Soapsvc.Client;\n"
        f"class Readme {{ void Run() {{ {code(CLIENT / 'README.md')} }} }}\n"
        "class Page { void Log(params string[] words) {}\n"
        f"  void Run(IrisV1.Iris client) {{ {code(ROOT / 'docs/faults.md')} }} }}\n"
    )
    mono.compiled([tmp_path / "Pages.cs", *sources], tmp_path / "Pages.dll", mono.WCF)


def lines(printed: str) -> list[tuple[str, str]]:
    """Return names and values of lines `name=value`."""
    pairs = [line.partition("=") for line in printed.splitlines()]
    return [(name, value) for name, _, value in pairs]


@pytest.mark.parametrize(
    ("which", "faces"),
    [
        ("faces_server", "faces: 1, the first happy at 92, 63"),
        ("server", "faces: not served here; `make example-faces` makes it"),
    ],
)
def test_client_asks_every_bundled_model_and_faces_where_it_is_served(
    client: Path, request: pytest.FixtureRequest, which: str, faces: str
) -> None:
    assert mono.run("mono", client, request.getfixturevalue(which).url).splitlines() == [
        "iris: setosa 1.0000",
        "iris, two flowers: setosa, virginica",
        "petalLength must be a finite number, but was NaN",
        "digits: 1 0.9999",
        "language: de 0.9806",
        "chat, started: Nice to meet you, Ada.",
        "chat, continued: That is 7.",
        "chat, continued: Your name is Ada.",
        "digit-reader: 173, the first at 86, 48",
        faces,
    ]


def test_client_takes_the_address_from_the_environment(
    client: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOAPSVC_URL", f"{server.url}/")
    assert mono.run("mono", client).startswith("iris: setosa")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["no url"], 2, "usage: "),
        (["http://127.0.0.1:1"], 1, "The service can't be reached: "),
        (["{url}", "no.png"], 1, "The image can't be read: "),
        (["{url}", __file__], 1, "The service refused: image: "),
    ],
)
def test_client_tells_in_a_sentence_why_it_failed(
    client: Path, server: Server, arguments: list[str], code: int, message: str
) -> None:
    done = mono.finished("mono", client, *[each.format(url=server.url) for each in arguments])
    assert done.returncode == code
    assert done.stderr.startswith(message)
    assert "   at " not in done.stderr


@pytest.mark.parametrize("version", ["soap", "soap12"])
def test_wcf_stubs_carry_every_kind_of_value(wcf_checks: Path, server: Server, version: str) -> None:
    answers = dict(lines(mono.run("mono", wcf_checks, server.url, version, PICTURE)))
    # Mono's HTTP stack may notice the timeout before WCF does.
    assert answers.pop("silence") in ("TimeoutException", "WebException")
    assert answers == {
        "shifted by null": "0",
        "shifted by 0.5": "1",
        "note": "你好 & <ü> ]]> 😀",
        "words": "one||zw & ö",
        "integers": "True -3 1099511627776 200",
        "codes": "7 -9223372036854775808",
        "ratio": "0.1",
        "series": "1.5 NaN Infinity",
        "scores": "right:0.75 left:0.25",
        "grid": "float32 2x3 NaN Infinity -Infinity 4 5 6",
        "grid without": "True True True",
        "pixels": "uint8 12",
        "ratio NaN": "NaN",
        "ratio Infinity": "Infinity",
        "ratio -Infinity": "-Infinity",
        "null text": "missing note",
        "info": "iris 1 1 1000",
        "batch": "1000 setosa virginica",
        "batch fault": "not-finite|instances[3].petalLength|a finite number|NaN"
        "|instances[3].petalLength: expected a finite number, received NaN|32",
        "threads": "setosa 40",
        "models": "chat digit-areas digit-classes digit-cuts digit-reader digits iris kinds language",
        "unknown model": "unknown-model",
        "tensor": "float32 1x3 True",
    }


def test_asmx_stubs_carry_every_kind_of_value(server: Server, tmp_path: Path) -> None:
    stubs = [mono.asmx_stub(server.url, model, tmp_path) for model in CONTRACTS if model != "faces"]
    program = mono.compiled([PROGRAMS / "AsmxChecks.cs", *stubs], tmp_path / "AsmxChecks.exe", mono.ASMX)
    kinds = {
        "note": "你好 & <ü> 😀",
        "numbers": "NaN 1.5 NaN NaN Infinity -Infinity 4 5 6",
        "words": "one||zw & ö",
        "pixels": "12",
    }
    assert lines(mono.run("mono", program, server.url, PICTURE)) == [
        ("iris", "setosa"),
        ("batch", "1000 virginica"),
        ("fault", "not-finite|petalLength|a finite number|NaN"),
        ("digits", "1"),
        ("language", "fr"),
        ("shifted", "0"),
        *kinds.items(),
        ("shifted", "1"),
        *kinds.items(),
        ("models", "chat digit-areas digit-classes digit-cuts digit-reader digits iris kinds language"),
        ("tensor", "True"),
    ]


@pytest.mark.parametrize("generator", mono.GENERATORS)
@pytest.mark.parametrize("model", mono.MODELS)
def test_public_api_of_stubs_is_the_golden_one(
    faces_server: Server, tmp_path: Path, model: str, generator: str
) -> None:
    golden = mono.GOLDEN / f"{model}.{generator}.txt"
    assert mono.public_api(faces_server.url, model, generator, tmp_path) == golden.read_text(), (
        "if the change is meant, and no client has such stubs yet: with a server running that serves faces too, "
        "python -m tests.clients.mono http://localhost:8080"
    )


def test_mtom_message_of_dotnet_6_and_newer_is_understood(server: Server) -> None:
    """Their encoder repeats the MIME headers before the first boundary (github.com/dotnet/wcf, issue 4831)."""
    boundary, root, image = (
        "uuid:ece3cb8d-07f9-4014-9b7e-82c617f8e75b+id=1",
        "http://tempuri.org/0",
        "http://tempuri.org/1",
    )
    content_type = (
        f'multipart/related; type="application/xop+xml"; start="<{root}>"; boundary="{boundary}"; start-info="text/xml"'
    )
    envelope = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        '<predict xmlns="urn:soapsvc:digits:v1"><image>'
        '<xop:Include href="cid:http%3A%2F%2Ftempuri.org%2F1" xmlns:xop="http://www.w3.org/2004/08/xop/include"/>'
        "</image></predict></s:Body></s:Envelope>"
    )
    head = (
        f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\r\n"
        f"--{boundary}\r\nContent-ID: <{root}>\r\nContent-Transfer-Encoding: 8bit\r\n"
        f'Content-Type: application/xop+xml;charset=utf-8;type="text/xml"\r\n\r\n{envelope}\r\n'
        f"--{boundary}\r\nContent-ID: <{image}>\r\nContent-Transfer-Encoding: binary\r\n"
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + PICTURE.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": content_type, "SOAPAction": '"urn:soapsvc:digits:v1:predict"'}
    answer = requests.post(f"{server.url}/soap/digits/v1", body, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    assert "<label>1</label>" in answer.text


@pytest.mark.parametrize(("model", "picture"), [("digits", PICTURE), ("digit-reader", SCENE)])
def test_image_of_the_client_is_the_golden_one(model: str, picture: Path) -> None:
    warmup = (ROOT / f"models/{model}/1/warmup.jsonl").read_text()
    assert base64.b64encode(picture.read_bytes()).decode() in warmup


@pytest.mark.parametrize("model", ["iris", "digits", "language", "chat", "digit-reader", "faces"])
def test_readme_and_project_name_the_stub_of_the_model(model: str) -> None:
    name = mono.title(model)
    made = f"--sync --outputDir Stubs/{name} --outputFile {name}.cs"
    command = f'dotnet-svcutil ../../wsdl/{model}.wsdl {made} --namespace "*,{name}V1"'
    assert command in (CLIENT / "README.md").read_text()
    assert f"Stubs/{name}/{name}.cs" in (CLIENT / "SoapsvcClient.csproj").read_text()
