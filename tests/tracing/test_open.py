"""The setting `tracing`: what it needs, and what is said where that is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from soapsvc.tracing import Untraced
from soapsvc.tracing.open import check_tracing, open_tracing
from tests.conftest import ROOT

_WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
sys.argv[0] = "serve.py"
exec(compile(open("serve.py").read(), "serve.py", "exec"))
"""


def test_off_needs_nothing_and_makes_no_spans() -> None:
    check_tracing("off")
    assert isinstance(open_tracing("off", "", 1.0, None), Untraced)
    check_tracing("otlp")  # the tests have it installed


@pytest.mark.parametrize("workers", ["1", "2"])
def test_start_without_the_extra_names_the_command(tmp_path: Path, workers: str) -> None:
    command = [sys.executable, "-c", _WITHOUT, "--tracing", "otlp", "--port", "0", "--workers", workers]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "tracing: otlp needs packages that are not installed: pip install 'soapsvc[tracing]'" in done.stderr
    assert "Traceback" not in done.stderr
