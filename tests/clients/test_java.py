"""The Java client, built by Maven with stubs that JAX-WS RI's wsimport makes of the golden WSDLs, calls the server."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.conftest import ROOT, Server


def test_java_client_builds_and_its_tests_pass(server: Server) -> None:
    for tool in ("mvn", "java"):
        if shutil.which(tool) is None:
            pytest.fail(f"{tool} is needed: install a JDK 17 and Maven (Debian: apt-get install openjdk-17-jdk maven)")
    command = ["mvn", "-q", "-B", "-f", "clients/java", "clean", "verify", f"-Dsoapsvc.url={server.url}"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    reports = list((ROOT / "clients/java/target/failsafe-reports").glob("TEST-*.xml"))
    assert len(reports) >= 8, "the integration tests did not run"
