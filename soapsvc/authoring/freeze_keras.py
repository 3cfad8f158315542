"""Freezing a Keras file, `.keras` or `.h5`: its inference as a graph, outputs named as Keras or the user names them.

Loading such a file may run code that it holds; safe mode stays on unless the user says otherwise.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import tensorflow as tf

from soapsvc.authoring.freeze_function import freeze_function
from soapsvc.authoring.freeze_request import Request
from soapsvc.authoring.freeze_result import Frozen
from soapsvc.authoring.source import Source, SourceError


def freeze_keras(source: Source, request: Request) -> Frozen:
    """Freeze a Keras file. Raises SourceError, or FreezeError for what it captures."""
    if request.inputs or request.outputs or request.collection:
        raise SourceError("a Keras file takes no --inputs, --outputs, --collection; see --output-names")
    return freeze_model(_load(source, request), source.path, request)


def freeze_model(model: Any, path: Path, request: Request) -> Frozen:
    """Freeze the inference of a Keras model that came from `path`."""
    tensors = list(getattr(model, "inputs", None) or [])
    if not tensors:
        raise SourceError(f"{path}: the model has no fixed inputs; call it once, then export it as a SavedModel")
    concrete, outputs = _traced(model, tensors)
    names = [tensor.name for tensor in tensors]
    return freeze_function(concrete, lambda given: concrete(*given), names, outputs, request, path)


def _load(source: Source, request: Request) -> Any:
    import keras

    objects = _custom_objects(request.custom_objects) if request.custom_objects else {}
    try:
        return keras.saving.load_model(source.path, custom_objects=objects, compile=False, safe_mode=not request.unsafe)
    except Exception as err:  # Keras raises whatever a layer's constructor raises
        words = " ".join(str(err).split())
        raise SourceError(f"{source.path}: Keras can't load it: {words[:500]}{_advice(words, request)}") from err


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


def _traced(model: Any, tensors: list[Any]) -> tuple[Any, list[str]]:
    """Return the model's inference as a ConcreteFunction of flat arguments and results, and the results' names."""
    import keras

    graph = getattr(model, "_functional", None) or model  # a Sequential keeps its functional twin
    structure = getattr(graph, "_inputs_struct", None)
    names: list[str] = []

    def call(*flat: Any) -> list[Any]:
        given = keras.tree.pack_sequence_as(structure, list(flat)) if structure is not None else _alone(flat)
        result = model(given, training=False)
        if isinstance(result, dict):
            names[:] = sorted(result)
            return [result[name] for name in names]
        results = list(keras.tree.flatten(result))
        layers = list(getattr(graph, "output_names", None) or [])
        names[:] = layers if len(layers) == len(results) else [f"output_{index}" for index in range(len(results))]
        return results

    signature = [tf.TensorSpec(tensor.shape, tensor.dtype, f"given_{index}") for index, tensor in enumerate(tensors)]
    return tf.function(call, input_signature=signature).get_concrete_function(), names


def _alone(flat: tuple[Any, ...]) -> Any:
    return flat[0] if len(flat) == 1 else list(flat)
