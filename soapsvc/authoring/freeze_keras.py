"""Freezing a model of Keras 3 or Keras 2: its inference as a graph, outputs named as Keras or the user names them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from soapsvc.authoring.freeze_build import built
from soapsvc.authoring.freeze_function import freeze_function
from soapsvc.authoring.freeze_keras_file import load_model
from soapsvc.authoring.freeze_request import Request
from soapsvc.authoring.freeze_result import Frozen, size_of
from soapsvc.authoring.freeze_weights import load_weights
from soapsvc.authoring.source import Source, SourceError


def freeze_keras(source: Source, request: Request) -> Frozen:
    """Freeze a Keras file; its weights alone go into the model that --build makes.

    Raises SourceError, or FreezeError for what the model captures.
    """
    if request.inputs or request.outputs or request.collection:
        raise SourceError("a Keras file takes no --inputs, --outputs, --collection; see --output-names")
    if request.build is None:
        model, notes = load_model(source, request)
    else:
        model, notes = built(request.build), ()
        if not is_keras_model(model):
            raise SourceError(f"--build {request.build}: expected a Keras model, received {type(model).__name__}")
        load_weights(model, source)
    concrete, arguments, results = traced(model, source.path)
    frozen = freeze_function(
        concrete, lambda given: concrete(*given), arguments, results, request, size_of(source.path)
    )
    return replace(frozen, notes=(*notes, *frozen.notes))


def is_keras_model(model: Any) -> bool:
    """Whether an object is a model of Keras 3, or of Keras 2 as far as tf_keras was imported to make one."""
    import keras

    keras2 = sys.modules.get("tf_keras")
    return isinstance(model, keras.Model) or (keras2 is not None and isinstance(model, keras2.Model))


def traced(model: Any, path: Path) -> tuple[Any, list[str], list[str]]:
    """Return a model's inference as a ConcreteFunction of flat arguments and results, and the names of both."""
    tensors = list(getattr(model, "inputs", None) or [])
    if not tensors:
        raise SourceError(f"{path}: the model has no fixed inputs; call it once, then export it as a SavedModel")
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
    concrete = tf.function(call, input_signature=signature).get_concrete_function()
    return concrete, [tensor.name for tensor in tensors], names


def _tree_of(model: Any) -> Any:
    """Return the module that flattens nested inputs in the order of the model's own Keras."""
    import keras

    return keras.tree if isinstance(model, keras.Model) else tf.nest
