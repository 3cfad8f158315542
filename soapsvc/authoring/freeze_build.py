"""The author's own function, `--build module:function`, that builds what a source without a model lacks."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from soapsvc.authoring.source import SourceError


def built(name: str) -> Any:
    """Call the function named `module:function` without arguments and return what it returns.

    The module is looked for in the current directory first. Raises SourceError: no such module or function, or what
    the function raises.
    """
    with _current_directory_first():
        function = _function(name)
        try:
            return function()
        except Exception as err:  # whatever the author's code raises
            raise SourceError(f"--build {name}: the function fails: {type(err).__name__}: {err}") from err


def _function(name: str) -> Callable[[], Any]:
    module_name, colon, function_name = name.partition(":")
    if not (module_name and colon and function_name):
        raise SourceError(f"--build {name}: expected MODULE:FUNCTION, as net:build for build() in net.py")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as err:
        where = f"; the current directory is {Path.cwd()}" if err.name == module_name else ""
        raise SourceError(f"--build {name}: can't import {module_name}: {err}{where}") from err
    except Exception as err:  # whatever the author's code raises
        raise SourceError(f"--build {name}: can't import {module_name}: {type(err).__name__}: {err}") from err
    function = getattr(module, function_name, None)
    if not callable(function):
        found = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise SourceError(f"--build {name}: {module_name} has no function {function_name}; it has {', '.join(found)}")
    found_function: Callable[[], Any] = function
    return found_function


@contextmanager
def _current_directory_first() -> Iterator[None]:
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
