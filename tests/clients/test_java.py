"""The Java client, built by Maven with the stubs of JAX-WS RI and of CXF, and its own tests against the server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.clients.conftest import JAVA, verify
from tests.conftest import Server

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


def test_first_call_of_the_readme_answers(server: Server, tmp_path: Path) -> None:
    page = (JAVA / "README.md").read_text().replace("http://localhost:8080", server.url)
    pom, source = (re.findall(rf"^```{kind}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[0] for kind in ("xml", "java"))
    commands = re.findall(r"^    ((?:mkdir|curl|mvn -q compile org).*)$", page, re.MULTILINE)
    (tmp_path / "pom.xml").write_text(pom)
    subprocess.run(["sh", "-ec", "\n".join(commands[:-1])], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "src/main/java/FirstCall.java").write_text(source)
    done = subprocess.run(["sh", "-ec", commands[-1]], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "\nsetosa 0.99" in f"\n{done.stdout}", done.stdout + done.stderr
