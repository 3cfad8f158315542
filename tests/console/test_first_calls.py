"""The programs on a model's page, run as a reader would who pastes them: each calls the test server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from lxml import html

from tests.clients import mono
from tests.conftest import Server

MODELS = ["chat", "digit-areas", "digit-reader", "digits", "inference", "iris", "kinds", "language"]


def guide(server: Server, model: str, title: str) -> list[tuple[str, str]]:
    """Return the steps of a guide: the file to save, empty for commands, and the text."""
    page = html.fromstring(requests.get(f"{server.url}/models/{model}", timeout=60).content)
    (found,) = (each for each in page.find_class("guide") if each.findtext("summary/h3") == title)
    return [(step.findtext("code") or "", step.find("div/pre").text_content()) for step in found.findall("ol/li")]


def follow(steps: list[tuple[str, str]], folder: Path) -> str:
    """Save the files, run the commands in their order, and return what the last one prints."""
    printed = ""
    for file, text in steps:
        if file:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text)
        elif not text.startswith("pip install"):  # the tests have zeep
            environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
            done = subprocess.run(
                ["bash", "-ec", text],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            printed = done.stdout
    return printed


def needs(program: str, packages: str) -> None:
    if shutil.which(program) is None:
        pytest.fail(f"{program} is needed: apt-get install {packages}")


@pytest.mark.parametrize("model", MODELS)
def test_curl_as_pasted_gets_an_answer(server: Server, model: str, tmp_path: Path) -> None:
    needs("curl", "curl")
    assert "predictResponse" in follow(guide(server, model, "curl"), tmp_path)


@pytest.mark.parametrize("model", MODELS)
def test_zeep_as_pasted_gets_an_answer(server: Server, model: str, tmp_path: Path) -> None:
    assert "modelVersion" in follow(guide(server, model, "Python (zeep)"), tmp_path)


@pytest.mark.parametrize("model", MODELS)
def test_php_as_pasted_gets_an_answer(server: Server, model: str, tmp_path: Path) -> None:
    needs("php", "php-cli php-soap")
    assert "modelVersion" in follow(guide(server, model, "PHP"), tmp_path)


@pytest.mark.parametrize(
    ("model", "title", "printed"),
    [
        ("iris", "Java (wsimport)", "probabilities: setosa 0.9999"),
        ("kinds", "Java (wsimport)", "modelVersion: 1"),
        ("digit-reader", "Java (CXF)", "text: "),
        ("inference", "Java (CXF)", "modelVersion: 1"),
    ],
)
def test_java_as_pasted_builds_and_gets_an_answer(
    server: Server, model: str, title: str, printed: str, tmp_path: Path
) -> None:
    needs("mvn", "openjdk-17-jdk maven")
    assert printed in follow(guide(server, model, title), tmp_path)


@pytest.mark.parametrize("model", ["iris", "kinds", "digit-reader", "inference"])
def test_csharp_as_pasted_compiles_with_stubs_and_gets_an_answer(server: Server, model: str, tmp_path: Path) -> None:
    """With Mono's stubs, finished as dotnet-svcutil makes them: there is no .NET SDK in Debian."""
    steps = guide(server, model, "C# (dotnet-svcutil)")
    (tmp_path / "Program.cs").write_text(dict(steps)["Program.cs"])
    for file, text in steps:
        if not file and text.startswith("curl") and "/samples/" in text:
            follow([(file, text)], tmp_path)
    wsdl = tmp_path / "contract.wsdl"
    wsdl.write_bytes(requests.get(f"{server.url}/soap/{model}/v1?wsdl", timeout=60).content)
    stub = mono.wcf_stub(server.url, model, wsdl, tmp_path)
    program = mono.compiled([tmp_path / "Program.cs", stub], tmp_path / "first.exe", mono.WCF)
    done = subprocess.run(["mono", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert "modelVersion: 1" in done.stdout, done.stdout + done.stderr


def test_project_as_an_archive_holds_what_the_steps_make(server: Server, tmp_path: Path) -> None:
    answer = requests.get(f"{server.url}/models/iris/projects/java-ri.zip", timeout=60)
    archive = tmp_path / "iris.zip"
    archive.write_bytes(answer.content)
    shutil.unpack_archive(archive, tmp_path)
    for file, text in guide(server, "iris", "Java (wsimport)"):
        if file:
            assert (tmp_path / file).read_text() == text
    assert b"IrisService" in (tmp_path / "src/main/resources/iris.wsdl").read_bytes()
