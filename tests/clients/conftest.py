"""What the tests of clients/java share: one build by Maven, and the web application in the Tomcat that it unpacked."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT, Server

JAVA = ROOT / "clients/java"


def verify(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run mvn verify in clients/java; fails when a tool is missing, not when the build fails."""
    for tool in ("mvn", "java"):
        if shutil.which(tool) is None:
            pytest.fail(f"{tool} is needed: install a JDK 17 and Maven (Debian: apt-get install openjdk-17-jdk maven)")
    command = ["mvn", "-q", "-B", "-f", str(JAVA), "verify", *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


@pytest.fixture(scope="session")
def java_build(faces_models: Path) -> subprocess.CompletedProcess[str]:
    """The build with JAX-WS RI from nothing, which starts a server and a Tomcat of its own."""
    shutil.rmtree(JAVA / "target", ignore_errors=True)
    return verify(f"-Dsoapsvc.python={sys.executable}", f"-Dsoapsvc.faces={faces_models}")


@pytest.fixture(scope="session")
def built(java_build: subprocess.CompletedProcess[str]) -> Path:
    """The folder that Maven built in; the tests of a page need its WAR, not that each Java test passed."""
    folder = JAVA / "target"
    assert (folder / "soapsvc.war").is_file(), java_build.stdout
    return folder


@pytest.fixture(scope="session")
def web(built: Path, server: Server) -> Iterator[str]:
    """The URL of the web application, which calls the server of the bundled models; without a slash at its end."""
    with web_application(built, server) as url:
        yield url


@pytest.fixture(scope="session")
def faces_web(built: Path, faces_server: Server) -> Iterator[str]:
    """The URL of a web application that calls a server with faces."""
    with web_application(built, faces_server) as url:
        yield url


@contextmanager
def web_application(built: Path, server: Server) -> Iterator[str]:
    """Run the web application in a Tomcat of its own, and yield its URL."""
    (tomcat,) = (built / "tomcat").glob("apache-tomcat-*")
    arguments = [".", str(built), str(tomcat), "0", server.url]
    command = ["java", "-cp", str(built / "test-classes"), "org.soapsvc.run.RunForAPerson", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        printed = []
        try:
            for line in process.stdout:
                printed.append(line)
                if found := re.match(r"web application: (\S+)/ ", line):
                    yield found[1]
                    return
            pytest.fail(f"the web application did not start: {''.join(printed)}")
        finally:
            process.terminate()
