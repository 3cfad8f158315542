"""Imports run one way: serve, cli -> transport, console, metrics -> soap -> engine -> model -> errors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

ALLOWED = {
    "errors": set(),
    "settings": {"settings_values"},
    "settings_values": set(),
    "later": set(),
    "cores": set(),
    "trace_context": set(),
    "answered": {"trace_context"},
    "model": {"errors", "model"},
    "authoring": {"errors", "model", "authoring"},
    "engine": {"errors", "model", "engine"},
    "session": {"errors", "model", "engine", "session"},
    "soap": {"errors", "model", "engine", "session", "answered", "trace_context", "soap"},
    "tracing": {"later", "answered", "trace_context", "tracing"},
    "console": {"errors", "model", "engine", "soap", "soapui", "metrics", "console", ""},
    "metrics": {"later", "answered", "model", "metrics"},
    "transport": {
        "errors",
        "settings",
        "later",
        "cores",
        "answered",
        "model",
        "engine",
        "session",
        "soap",
        "console",
        "metrics",
        "tracing",
        "transport",
    },
    "predict": {"errors", "model", "engine", "soap", "authoring", "predict"},
    "soapui": {"errors", "model", "soap", "authoring", "soapui"},
    "starter": {"errors", "model", "soap", "starter", ""},
    "tuning": {"cores", "errors", "model", "engine", "authoring", "tuning"},
    "completion": set(),
    "cli": {
        "completion",
        "errors",
        "settings",
        "model",
        "engine",
        "soap",
        "transport",
        "authoring",
        "predict",
        "soapui",
        "starter",
        "tuning",
    },
    "__main__": {"cli"},
    "": set(),
}
MODULES = sorted((ROOT / "soapsvc").rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def room(path: Path) -> str:
    """Return the first part of a module's name within soapsvc, "" for the package itself."""
    part = path.relative_to(ROOT / "soapsvc").parts[0].removesuffix(".py")
    return "" if part == "__init__" else part


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_imports_only_what_its_room_may(path: Path) -> None:
    own = {
        name.removeprefix("soapsvc").lstrip(".").split(".")[0] for name in imported(path) if name.startswith("soapsvc")
    }
    assert own <= ALLOWED[room(path)]


@pytest.mark.parametrize(
    ("package", "rooms"),
    [
        ("tensorflow", {"authoring", "model"}),
        ("spyne", {"soap"}),
        ("lxml", {"soap", "cli", "predict", "soapui"}),
        ("zeep", {"predict"}),
        ("waitress", {"transport"}),
        ("granian", {"transport"}),
        ("prometheus_client", {"metrics"}),
        ("opentelemetry", {"tracing"}),
    ],
)
def test_library_is_imported_only_where_it_belongs(package: str, rooms: set[str]) -> None:
    found = {room(path) for path in MODULES if any(name.split(".")[0] == package for name in imported(path))}
    assert found
    assert found <= rooms


def test_serving_path_imports_tensorflow_in_one_module() -> None:
    serving = [path for path in MODULES if room(path) != "authoring"]
    assert [path.name for path in serving if any(name.startswith("tensorflow") for name in imported(path))] == [
        "graph.py"
    ]


def test_modules_are_of_readable_length() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > 300} == {}
