"""Freezing a model of Keras 3 or Keras 2: its inference as a graph, outputs named as Keras or the user names them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from soapsvc.authoring.freeze_function import freeze_function
from soapsvc.authoring.freeze_keras_file import load_model
from soapsvc.authoring.freeze_request import Request
from soapsvc.authoring.freeze_result import Frozen
from soapsvc.authoring.source import Source, SourceError


def freeze_keras(source: Source, request: Request) -> Frozen:
    """Freeze a Keras file. Raises SourceError, or FreezeError for what it captures."""
    if request.inputs or request.outputs or request.collection:
        raise SourceError("a Keras file takes no --inputs, --outputs, --collection; see --output-names")
    model, notes = load_model(source, request)
    return replace(freeze_model(model, source.path, request), notes=notes)


def freeze_model(model: Any, path: Path, request: Request) -> Frozen:
    """Freeze the inference of a Keras model that came from `path`."""
    tensors = list(getattr(model, "inputs", None) or [])
    if not tensors:
        raise SourceError(f"{path}: the model has no fixed inputs; call it once, then export it as a SavedModel")
    concrete, outputs = _traced(model, tensors)
    names = [tensor.name for tensor in tensors]
    return freeze_function(concrete, lambda given: concrete(*given), names, outputs, request, path)


def _traced(model: Any, tensors: list[Any]) -> tuple[Any, list[str]]:
    """Return the model's inference as a ConcreteFunction of flat arguments and results, and the results' names."""
    graph = getattr(model, "_functional", None) or model  # a Sequential of Keras 3 keeps its functional twin
    tree = _tree_of(model)
    names: list[str] = []

    def call(*flat: Any) -> list[Any]:
        result = model(tree.pack_sequence_as(graph.input, list(flat)), training=False)
        if isinstance(result, dict):
            names[:] = sorted(result)
            return [result[name] for name in names]
        results = list(tree.flatten(result))
        layers = list(getattr(graph, "output_names", None) or [])
        names[:] = layers if len(layers) == len(results) else [f"output_{index}" for index in range(len(results))]
        return results

    signature = [tf.TensorSpec(tensor.shape, tensor.dtype, f"given_{index}") for index, tensor in enumerate(tensors)]
    return tf.function(call, input_signature=signature).get_concrete_function(), names


def _tree_of(model: Any) -> Any:
    """Return the module that flattens nested inputs in the order of the model's own Keras."""
    import keras

    return keras.tree if isinstance(model, keras.Model) else tf.nest
