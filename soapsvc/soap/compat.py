"""Makes Spyne 2.14 importable and quick, before any other module here imports it. Nothing is patched on disk.

- Python 3.12 dropped `find_module` (3.11 warns), which Spyne's copy of six relies on: its importer gets a `find_spec`.
  (Python 3.13 dropped `cgi` too; the package legacy-cgi supplies it.)
- Closing a Spyne context runs a full garbage collection once a second, 250 ms with TensorFlow loaded: never here.
- Spyne logs each fault with a traceback and each invalid document whole; `soapsvc` has a log of its own.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any


def _load_bundled_six() -> None:
    """Load Spyne's six ahead of Spyne, with an importer that today's Python can use."""
    spyne = PathFinder.find_spec("spyne")
    if spyne is None or not spyne.submodule_search_locations:
        raise ImportError("Spyne is not installed; run: pip install -r requirements.txt")
    path = Path(spyne.submodule_search_locations[0]) / "util" / "six.py"
    spec = importlib.util.spec_from_file_location("spyne.util.six", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["spyne.util.six"] = module
    spec.loader.exec_module(module)
    _add_find_spec(module)


def _add_find_spec(six: ModuleType) -> None:
    importer: Any = six._importer

    def find_spec(fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname in importer.known_modules:
            return importlib.util.spec_from_loader(fullname, importer)
        return None

    def create_module(spec: ModuleSpec) -> Any:
        return importer.load_module(spec.name)

    importer.find_spec = find_spec
    importer.create_module = create_module
    importer.exec_module = lambda module: None


if "spyne.util.six" not in sys.modules:
    _load_bundled_six()

import spyne.const  # noqa: E402

spyne.const.MIN_GC_INTERVAL = math.inf
logging.getLogger("spyne").setLevel(logging.CRITICAL + 1)
