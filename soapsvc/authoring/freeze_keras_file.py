"""Loading a Keras file with the Keras that wrote it: Keras 3, or Keras 2 as the package tf_keras.

Such a file may hold code that runs when it is loaded; it is refused unless the user trusts it.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from soapsvc.authoring.freeze_request import Request
from soapsvc.authoring.inspect_config import code_in
from soapsvc.authoring.inspect_keras import read_keras_file
from soapsvc.authoring.source import Source, SourceError

_INSTALL = "pip install 'soapsvc[keras2]'"


def load_model(source: Source, request: Request) -> tuple[Any, tuple[str, ...]]:
    """Return the model in a Keras file, uncompiled, and what a user should know of how it was loaded.

    Raises SourceError: no model in it, code in it, a class nobody has, another Keras needed.
    """
    _, config, metadata = read_keras_file(source)
    if config is None:
        raise SourceError(f"{source.path}: holds weights only; name the function that builds the model with --build")
    version = str(metadata.get("keras_version", ""))
    objects = _custom_objects(request.custom_objects) if request.custom_objects else {}
    if not version.startswith("2."):
        return _by_keras3(source, request, objects), ()
    try:
        import tf_keras
    except ImportError:
        note = f"written by Keras {version}, loaded by Keras 3, as tf_keras is not installed ({_INSTALL})"
        try:
            return _by_keras3(source, request, objects), (note,)
        except SourceError as err:
            raise SourceError(f"{err}\nIt was written by Keras {version}: {_INSTALL} and repeat the command") from err
    if not request.unsafe:
        _refuse_code(source, config, objects)
    try:
        model = tf_keras.models.load_model(source.path, objects, compile=False, safe_mode=not request.unsafe)
    except Exception as err:  # Keras raises whatever a layer's constructor raises
        raise _not_loaded(source, err, request) from err
    return model, (f"written by Keras {version}, loaded by tf_keras {tf_keras.__version__}",)


def _by_keras3(source: Source, request: Request, objects: dict[str, Any]) -> Any:
    import keras

    try:
        return keras.saving.load_model(source.path, custom_objects=objects, compile=False, safe_mode=not request.unsafe)
    except Exception as err:  # as above
        raise _not_loaded(source, err, request) from err


def _refuse_code(source: Source, config: Any, objects: Mapping[str, Any]) -> None:
    """Raise SourceError at code in a file that tf_keras, which has no safe mode of its own, would run.

    objects: what --custom-objects brings; a class of the same name in the file is taken from there.
    """
    found = [f"{module}.{name}".lstrip(".") for module, name in code_in(config) if not module or name not in objects]
    if found:
        raise SourceError(
            f"{source.path}: loading it runs Python code: {', '.join(dict.fromkeys(found))}\n"
            "If you trust whoever wrote the file, repeat the command with --unsafe; name the module of a class or "
            "function of yours with --custom-objects MODULE"
        )


def _not_loaded(source: Source, err: Exception, request: Request) -> SourceError:
    words = " ".join(str(err).split())
    return SourceError(f"{source.path}: Keras can't load it: {words[:500]}{_advice(words, request)}")


def _advice(words: str, request: Request) -> str:
    if "unsafe" in words or "safe_mode" in words:
        return "\nIt holds Python code. If you trust whoever wrote the file, repeat the command with --unsafe"
    if "custom" in words.lower() or "unknown layer" in words.lower() or "could not locate" in words.lower():
        there = f"; {request.custom_objects} does not have it" if request.custom_objects else ""
        return f"\nName the module that defines the class or function with --custom-objects MODULE{there}"
    return ""


def _custom_objects(name: str) -> dict[str, Any]:
    """Return the public classes and functions of a module, by their names. Raises SourceError."""
    try:
        module = importlib.import_module(name)
    except ImportError as err:
        raise SourceError(f"--custom-objects {name}: can't be imported: {err}; run the command where it can") from err
    return {
        key: value
        for key, value in vars(module).items()
        if not key.startswith("_") and (inspect.isclass(value) or inspect.isfunction(value))
    }
