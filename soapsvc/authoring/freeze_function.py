"""Freezing a traced function, of a Keras model, a TF2 SavedModel or a tf.Module: names, constants, tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from soapsvc.authoring.freeze import count_nodes
from soapsvc.authoring.freeze_request import Request, node_name
from soapsvc.authoring.freeze_result import Arrays, Frozen, contract_names, distinct, spec_of
from soapsvc.authoring.freeze_tables import freeze_with_tables
from soapsvc.authoring.source import SourceError
from soapsvc.model.dtypes import Array, array_of
from soapsvc.model.signature import show_shape

Call = Callable[[Sequence[Any]], Sequence[Any]]  # a tensor for each argument -> a tensor for each result


def freeze_function(
    concrete: Any, call: Call, arguments: Sequence[str], results: Sequence[str], request: Request, size: int
) -> Frozen:
    """Freeze a ConcreteFunction.

    call: runs it on tensors.  arguments, results: what the source calls them, in the function's order.
    size: the source's bytes.  Raises SourceError, or FreezeError for what it captures.
    """
    nodes = count_nodes(concrete.graph.as_graph_def())
    tensors = list(concrete.inputs[: len(arguments)])
    fixed = _fixed(request.constants, arguments, tensors)
    shown = [index for index in range(len(arguments)) if index not in fixed]
    if not shown:
        raise SourceError("--constant hides every input; leave one for clients to send")
    repeated = {index: value for index, value in fixed.items() if value.ndim != tensors[index].shape.rank}
    if repeated:
        concrete, call = _repeating(call, tensors, repeated)
    kept = [index for index in range(len(arguments)) if index not in repeated]
    tensors = list(concrete.inputs[: len(kept)])
    inputs, outputs = contract_names(request, [arguments[index] for index in shown], results)
    hidden = [index for index in kept if index in fixed]
    names = dict(zip(shown, inputs, strict=True))
    names |= dict(zip(hidden, distinct([arguments[index] for index in hidden], (*inputs, *outputs)), strict=True))
    graph_def, init_ops = freeze_with_tables(concrete, [names[index] for index in kept], outputs)
    constants = {names[index]: fixed[index] for index in hidden}

    def original(arrays: Arrays) -> dict[str, Array]:
        fed = {**arrays, **constants}
        given = [tf.constant(fed[names[index]], tensor.dtype) for index, tensor in zip(kept, tensors, strict=True)]
        return {name: np.asarray(result) for name, result in zip(outputs, call(given), strict=True)}

    places = {names[index]: tensor for index, tensor in zip(kept, tensors, strict=True)}
    return Frozen(
        graph_def,
        {name: spec_of(name, f"{name}:0", places[name]) for name in inputs},
        {name: spec_of(name, f"{name}:0", tensor) for name, tensor in zip(outputs, concrete.outputs, strict=True)},
        original,
        nodes=nodes,
        bytes=size,
        constants={f"{name}:0": _plain(value) for name, value in constants.items()},
        init_ops=init_ops,
    )


def _fixed(constants: Mapping[str, Any], arguments: Sequence[str], tensors: Sequence[Any]) -> dict[int, Array]:
    """Return an argument's place -> its constant value, of the argument's shape or of one instance."""
    fixed = {}
    for name, value in constants.items():
        if node_name(name) not in arguments:
            raise SourceError(f"--constant {name}: there is no such input; the inputs are {', '.join(arguments)}")
        index = list(arguments).index(node_name(name))
        dtype, shape = tensors[index].dtype, tensors[index].shape
        try:
            array = array_of(value, np.dtype(dtype.as_numpy_dtype))
        except (TypeError, ValueError, OverflowError) as err:
            raise SourceError(f"--constant {name}: {value!r} is no {dtype.name}") from err
        per_instance = bool(shape.rank) and shape[0] is None and shape[1:].is_compatible_with(array.shape)
        if not (shape.is_compatible_with(array.shape) or per_instance):
            expected = show_shape(tuple(shape.as_list()))
            instance = f", or {show_shape(tuple(shape[1:].as_list()))} for every instance" if shape[0] is None else ""
            raise SourceError(
                f"--constant {name}: expected the shape {expected}{instance}, received {show_shape(array.shape)}"
            )
        fixed[index] = array
    return fixed


def _repeating(call: Call, tensors: Sequence[Any], repeated: Mapping[int, Array]) -> tuple[Any, Call]:
    """Return a function without some arguments, one instance's value being repeated for the batch, and its call."""
    rest = [index for index in range(len(tensors)) if index not in repeated]

    def shorter(*given: Any) -> list[Any]:
        batch = tf.shape(given[0])[:1]
        every = dict(zip(rest, given, strict=True))
        for index, value in repeated.items():
            every[index] = tf.broadcast_to(tf.constant(value), tf.concat([batch, value.shape], 0))
        return list(call([every[index] for index in range(len(tensors))]))

    signature = [tf.TensorSpec(tensors[index].shape, tensors[index].dtype, f"given_{index}") for index in rest]
    concrete = tf.function(shorter, input_signature=signature).get_concrete_function()
    return concrete, lambda given: concrete(*given)


def _plain(value: Array) -> Any:
    """Return an array as model.yaml writes it."""
    values = value.tolist()
    return values.decode() if isinstance(values, bytes) else values
