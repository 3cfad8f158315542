"""The Java client, built by Maven with the stubs of JAX-WS RI and of CXF, and its own tests against the server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.clients.conftest import JAVA, verify
from tests.conftest import ROOT, Server

LOCAL = "http://localhost:8080"
CALLING = {
    "AddressingIT",
    "ChatIT",
    "DigitsIT",
    "FacesIT",
    "InferenceIT",
    "IrisIT",
    "KindsIT",
    "LanguageIT",
    "ModelClientsIT",
    "MtomIT",
}


def test_build_with_jax_ws_ri_passes_its_tests(java_build: subprocess.CompletedProcess[str]) -> None:
    assert java_build.returncode == 0, java_build.stdout
    assert ran(JAVA / "target") >= CALLING | {"GzipIT", "PagesIT"}


def test_build_with_cxf_passes_the_same_tests(faces_server: Server, built: Path) -> None:
    done = verify("-Pcxf", f"-Dsoapsvc.url={faces_server.url}", "-Dit.test=*IT,!PagesIT", "-Dmaven.war.skip")
    assert done.returncode == 0, done.stdout
    assert ran(built / "cxf") >= CALLING


def ran(folder: Path) -> set[str]:
    """Return the classes of integration tests that Maven ran."""
    return {report.stem.rpartition(".")[2] for report in (folder / "failsafe-reports").glob("TEST-*.xml")}


GUIDE = ROOT / "docs/call-from-java.md"


def code(page: Path, language: str) -> list[str]:
    """Return the blocks of a language on a page of the documentation."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def first_call(folder: Path, server: Server, pom: str) -> list[str]:
    """Follow the guide in an empty folder, and return the lines that its program prints."""
    save, run = code(GUIDE, "sh")
    (folder / "pom.xml").write_text(pom)
    subprocess.run(["sh", "-ec", save.replace(LOCAL, server.url)], cwd=folder, check=True, capture_output=True)
    (source,) = code(GUIDE, "java")
    (folder / "src/main/java/FirstCall.java").write_text(source.replace(LOCAL, server.url))
    done = subprocess.run(["sh", "-ec", run], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [
        re.sub(r"\d\.\d+(E-\d+)?", lambda found: f"{float(found[0]):.3g}", line) for line in done.stdout.splitlines()
    ]


PRINTED = ["setosa 1", "versicolor 4.04e-06", "virginica 7.13e-10", "petalLength must be a finite number, was NaN"]


def test_first_call_of_the_guide_prints_what_it_says(server: Server, tmp_path: Path) -> None:
    pom, _, _ = code(GUIDE, "xml")
    assert [line for line in first_call(tmp_path, server, pom) if line in PRINTED] == PRINTED
    (shown,) = code(GUIDE, "text")
    assert [line.split()[0] for line in shown.splitlines()] == [line.split()[0] for line in PRINTED]


def test_first_call_of_the_guide_answers_with_cxf(server: Server, tmp_path: Path) -> None:
    pom, dependencies, plugin = code(GUIDE, "xml")
    pom = re.sub(r"<dependencies>.*</dependencies>", lambda _: dependencies, pom, flags=re.DOTALL)
    pom = re.sub(r"<plugin>\s*<groupId>com.sun.xml.ws.*?</plugin>", lambda _: plugin, pom, flags=re.DOTALL)
    assert "com.sun.xml.ws" not in pom
    assert [line for line in first_call(tmp_path, server, pom) if line in PRINTED] == PRINTED


def test_java_of_the_pages_compiles(built: Path, tmp_path: Path) -> None:
    (client,) = code(JAVA / "README.md", "java")
    (faults,) = code(ROOT / "docs/faults.md", "java")
    source = tmp_path / "Pages.java"
    source.write_text(
        "import org.soapsvc.client.*;\n"
        f"class Readme {{ void run() {{ {client} }} }}\n"
        "class Page { void log(String... words) {}\n"
        f"  void run(org.soapsvc.client.iris.Iris iris) throws Exception {{ {qualified(faults)} }} }}\n"
    )
    libraries = f"{built / 'classes'}:{built / 'soapsvc' / 'WEB-INF' / 'lib'}/*"
    done = subprocess.run(
        ["javac", "-cp", libraries, "-d", str(tmp_path), str(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def qualified(snippet: str) -> str:
    """Return a snippet whose stubs stand in their package."""
    return re.sub(r"\b(Prediction|InvalidInput(_Exception)?)\b", r"org.soapsvc.client.iris.\1", snippet)
