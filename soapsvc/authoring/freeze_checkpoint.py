"""Freezing a checkpoint without a graph: `--build` makes the graph, or the object, that takes its values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from soapsvc.authoring.freeze_build import built
from soapsvc.authoring.freeze_function import freeze_function
from soapsvc.authoring.freeze_graph import freeze_restored
from soapsvc.authoring.freeze_keras import is_keras_model, traced
from soapsvc.authoring.freeze_request import Request
from soapsvc.authoring.freeze_result import Frozen, size_of
from soapsvc.authoring.inspect_checkpoint import OBJECT_GRAPH, role_of
from soapsvc.authoring.source import Source, SourceError

_VALUE = "/.ATTRIBUTES"  # ends the path to a variable in a checkpoint's key


def freeze_checkpoint(source: Source, request: Request) -> Frozen:
    """Freeze a checkpoint of TF1, whose names are variables', or of TF2, whose names are a path through objects.

    Raises SourceError: no --build, a function that builds something else, variables that the checkpoint lacks.
    """
    if request.build is None:
        raise SourceError(
            f"{source.path} is a checkpoint without a graph: name the function that builds the graph for inference, as "
            "--build net:build"
        )
    try:
        reader = tf.compat.v1.train.NewCheckpointReader(source.prefix)
    except (tf.errors.OpError, RuntimeError, IndexError, ValueError) as err:
        raise SourceError(f"{source.path}: the checkpoint can't be opened: {err}") from err
    if reader.has_tensor(OBJECT_GRAPH):
        return _of_objects(source, reader, request.build, request)
    return _of_graph(source, request.build, request)


def _of_graph(source: Source, build: str, request: Request) -> Frozen:
    graph = tf.Graph()
    with graph.as_default():
        result = built(build)
    outputs = _output_tensors(graph, result, build)
    if outputs and not request.outputs and not request.collection:
        names = request.output_names or (tuple(map(str, outputs)) if isinstance(result, Mapping) else ())
        request = replace(request, outputs=tuple(outputs.values()), output_names=names)
    return freeze_restored(graph, source, request)


def _output_tensors(graph: Any, result: Any, build: str) -> dict[Any, str]:
    """Return the tensors' names in what a build function returned: by key, or by place. None of them for None."""
    found = (
        result if isinstance(result, Mapping) else dict(enumerate(tf.nest.flatten([] if result is None else result)))
    )
    for tensor in found.values():
        if not isinstance(tensor, tf.Tensor) or getattr(tensor, "graph", None) is not graph:
            raise SourceError(
                f"--build {build}: expected nothing, tensors or a dictionary of tensors of the graph that it is called "
                f"in, received {type(tensor).__name__}; a TF1 checkpoint goes with a graph"
            )
    return {key: tensor.name for key, tensor in found.items()}


def _of_objects(source: Source, reader: Any, build: str, request: Request) -> Frozen:
    if request.inputs or request.outputs or request.collection:
        raise SourceError("a checkpoint of TF2 takes no --inputs, --outputs, --collection; see --output-names")
    model = built(build)
    concrete, arguments, results = traced(model, source.path) if is_keras_model(model) else _traced_module(model, build)
    taken = _restore(model, source.prefix, reader, build)

    def call(given: Sequence[Any]) -> list[Any]:
        model.__class__  # noqa: B018 - keeps the model, and with it its variables, alive as long as this function
        return list(tf.nest.flatten(concrete(*given)))

    size = sum(size_of(path) for path in source.parts())
    frozen = freeze_function(concrete, call, arguments, results, request, size)
    return replace(frozen, notes=(*frozen.notes, f"took the values of the checkpoint's {taken}"))


def _traced_module(model: Any, build: str) -> tuple[Any, list[str], list[str]]:
    """Return a tf.Module's __call__ as a ConcreteFunction, and the names of its arguments and results."""
    function: Any = getattr(model, "__call__", None)  # noqa: B004 - the tf.function itself is wanted
    if not isinstance(model, tf.Module) or not getattr(function, "input_signature", None):
        raise SourceError(
            f"--build {build}: expected a Keras model, or a tf.Module whose __call__ is a tf.function with an "
            f"input_signature, received {type(model).__name__}; a checkpoint of TF2 goes with an object"
        )
    concrete = function.get_concrete_function()
    arguments = [spec.name for spec in tf.nest.flatten(concrete.structured_input_signature)]
    found = concrete.structured_outputs
    flat = tf.nest.flatten(found)
    keys = sorted(found) if isinstance(found, Mapping) else []
    return concrete, arguments, keys if len(keys) == len(flat) else [f"output_{index}" for index in range(len(flat))]


def _restore(model: Any, prefix: str, reader: Any, build: str) -> str:
    """Give an object its values: those of the checkpoint's root, or of the object in it that fits; say which."""
    objects = TrackableObjectGraph.FromString(reader.get_tensor(OBJECT_GRAPH))
    names = {child.local_name for child in objects.nodes[0].children} - {"save_counter"}
    children = sorted(names, key=lambda name: (name != "model", name))
    problems: list[str] = []
    for name in ("", *children):
        checkpoint = tf.train.Checkpoint(**{name: model}) if name else tf.train.Checkpoint(model)
        try:
            checkpoint.read(prefix).assert_existing_objects_matched().expect_partial()
        except (AssertionError, ValueError, tf.errors.OpError) as err:
            problems.append(str(err))
        else:
            return f"object {name}" if name else "root"
    stored = [key.split(_VALUE)[0] for key in reader.get_variable_to_shape_map() if role_of(key) == "weight"]
    closest = min(problems, key=len)  # it names the fewest variables
    raise SourceError(
        f"the checkpoint {prefix} does not have what {build} builds: {_unmatched(closest)}; "
        f"it has {', '.join(sorted(stored)[:8])}{', …' if len(stored) > 8 else ''}"
    )


def _unmatched(problem: str) -> str:
    """Return the variables that TensorFlow's message says were not bound to values, or what else it says."""
    names = re.findall(r"<tf\.Variable '([^']+?)(?::0)?'|<Variable path=([^,]+),", problem)
    return f"no value for {', '.join(sorted(left or right for left, right in names))}" if names else problem[:300]
