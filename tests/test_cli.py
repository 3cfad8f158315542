"""`python -m soapsvc`: what each command prints and the code it exits with."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from soapsvc.cli import main
from tests.conftest import ROOT

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a command and returns its exit code, output and errors."""
    monkeypatch.chdir(ROOT)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def iris(tmp_path: Path) -> Path:
    """A copy of the bundled iris model."""
    folder = tmp_path / "iris" / "1"
    shutil.copytree(ROOT / "models/iris/1", folder)
    return folder


def test_wsdl_of_an_unknown_model_names_the_known(run: Run) -> None:
    code, output, errors = run("wsdl", "nothing")
    assert (code, output) == (1, "")
    assert "no model named nothing" in errors
    assert "chat, digit-areas, digit-classes, digit-cuts, digit-reader, digits, inference, iris, language" in errors


def test_wsdl_of_a_missing_folder_says_what_was_expected(run: Run, tmp_path: Path) -> None:
    code, _, errors = run("wsdl", "iris", "--models", str(tmp_path / "none"))
    assert code == 1
    assert "<name>/<version>/model.yaml" in errors


def test_check_of_a_good_model_that_keeps_its_contract_exits_0(run: Run, iris: Path) -> None:
    code, output, _ = run("check", str(iris), "--against", "wsdl/iris.wsdl")
    assert code == 0
    assert "iris version 1 loads and gives its golden answers" in output
    assert "keeps wsdl/iris.wsdl" in output


def test_check_of_a_changed_contract_spells_out_the_difference(run: Run, iris: Path) -> None:
    manifest = iris / "model.yaml"
    manifest.write_text(manifest.read_text().replace("petalLength", "petalSize"))
    code, output, _ = run("check", str(iris), "--against", "wsdl/iris.wsdl")
    assert code == 1
    assert "breaks wsdl/iris.wsdl: predict.petalLength was double, is missing" in output


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("dtype: float32", "dtype: float64", "features:0 is float32"),
        ("tensor: features:0", "tensor: nothing:0", "no tensor nothing:0; its placeholders are features:0"),
        ("dtype: float32", "dtype: float16", "signatures.predict.inputs.features.dtype"),
        ("sha256: ", "sha256: 0000", "graph.sha256"),
    ],
)  # fmt: skip
def test_check_of_a_broken_model_names_what_is_wrong(run: Run, iris: Path, old: str, new: str, message: str) -> None:
    manifest = iris / "model.yaml"
    assert old in manifest.read_text()
    manifest.write_text(manifest.read_text().replace(old, new, 1))
    code, output, errors = run("check", str(iris))
    assert (code, output) == (1, "")
    assert message in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("path", ["wsdl/none.wsdl", "README.md"])
def test_check_against_no_wsdl_says_so(run: Run, iris: Path, path: str) -> None:
    code, _, errors = run("check", str(iris), "--against", path)
    assert code == 1
    assert "expected a WSDL file" in errors


def test_check_of_another_folder_says_what_was_expected(run: Run, tmp_path: Path) -> None:
    code, _, errors = run("check", str(tmp_path))
    assert code == 1
    assert "expected a version's folder that holds model.yaml" in errors


def test_command_runs_as_a_process() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "soapsvc", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "wsdl" in done.stdout
