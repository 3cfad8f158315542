"""The golden WSDLs, which clients build from, are what the code writes today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PARTS = ["digit-areas", "digit-classes", "digit-cuts"]  # of digit-reader
MODELS = ["chat", *PARTS, "digit-reader", "digits", "inference", "iris", "language"]
GOLDEN = [ROOT / f"wsdl/{model}{suffix}.wsdl" for model in MODELS for suffix in ("", ".soap12")]


FACES = [ROOT / f"wsdl/faces{suffix}.wsdl" for suffix in ("", ".soap12")]  # of `make example-faces`


def printed(model: str, *arguments: str) -> bytes:
    command = [sys.executable, "-m", "soapsvc", "wsdl", model, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout


def holds(path: Path, *arguments: str) -> None:
    """Fail unless a golden WSDL is what the command prints."""
    model, _, version = path.stem.partition(".")
    if version:
        arguments += ("--soap12",)
    command = f"python -m soapsvc wsdl {model} {' '.join(arguments)} > wsdl/{path.name}"
    assert printed(model, *arguments) == path.read_bytes(), f"if the change is meant: {command}"


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_golden_wsdl_is_what_the_code_writes(path: Path) -> None:
    holds(path)


@pytest.mark.parametrize("path", FACES, ids=lambda path: path.name)
def test_golden_wsdl_of_faces_is_what_the_code_writes(path: Path, faces_models: Path) -> None:
    holds(path, "--models", str(faces_models))


def test_every_bundled_model_has_golden_wsdls() -> None:
    assert {path.name for path in (ROOT / "models").iterdir()} | {"inference"} == set(MODELS)
    assert sorted((ROOT / "wsdl").glob("*.wsdl")) == sorted([*GOLDEN, *FACES])


def test_wsdl_of_the_test_model_is_what_the_code_writes(models: Path) -> None:
    assert printed("kinds", "--models", str(models)) == (ROOT / "tests/data/kinds.wsdl").read_bytes()


def test_wsdl_names_the_public_url() -> None:
    assert b'location="https://ml.example.org/x/soap/iris/v1"' in printed(
        "iris", "--public-url", "https://ml.example.org/x/"
    )
