"""The eight techniques of examples/techniques: each script runs as a user runs it and ends with a call over SOAP."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "examples" / "techniques"
SCRIPTS = {path.stem: path for path in FOLDER.glob("*.py") if path.read_text().startswith('"""Technique ')}
LEAST_RIGHT = 90  # of 100 held-out digits; all networks here get 94 or more


def output_of(script: str) -> str:
    """Return what a script prints."""
    done = subprocess.run(
        [sys.executable, SCRIPTS[script]], capture_output=True, text=True, timeout=300, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_is_a_script_for_each_technique() -> None:
    numbers = sorted(re.match(r'"""Technique (\d+): ', path.read_text())[1] for path in SCRIPTS.values())
    assert numbers == [str(number) for number in range(1, 9)]


@pytest.mark.parametrize("script", sorted(SCRIPTS.keys() - {"web_service"}))
def test_script_ends_with_digits_read_over_soap(script: str) -> None:
    last = output_of(script).splitlines()[-1]
    found = re.fullmatch(r"\S+ over SOAP: (\d+) of 100 digits right", last)
    assert found is not None, last
    assert int(found[1]) >= LEAST_RIGHT


def test_web_service_answers_and_refuses_over_soap() -> None:
    *_, answer, fault = output_of("web_service").splitlines()
    assert answer.startswith("flowers over SOAP: setosa, score 0.")
    assert fault == "fault over SOAP: instances: expected at least 1 instance, received 0"
