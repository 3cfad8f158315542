"""Freezing what a TF1 session holds: chosen tensors in, chosen tensors out, variables and tables made constant.

The common part of frozen graphs from elsewhere, meta graphs and TF1 SavedModels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.ops import gen_lookup_ops

from soapsvc.authoring.freeze import count_nodes, prune
from soapsvc.authoring.freeze_choice import Choice
from soapsvc.authoring.freeze_request import node_name
from soapsvc.authoring.freeze_result import Arrays, Frozen, spec_of
from soapsvc.authoring.freeze_tables import TABLE_OPS, add_content, table_node
from soapsvc.authoring.source import SourceError
from soapsvc.model.dtypes import Array
from soapsvc.model.signature import TensorSpec


def freeze_session(session: Any, needed: Any, choice: Choice, size: int) -> Frozen:
    """Freeze a session whose variables have their values and whose tables are filled.

    needed: its graph cut to the choice's tensors by `cut`.  size: the source's bytes.
    Raises SourceError for uninitialised variables and tables that can't be read.
    """
    graph = session.graph
    inputs, outputs, constants = choice.inputs, choice.outputs, choice.constants
    try:
        constant = tf.compat.v1.graph_util.convert_variables_to_constants(
            session, needed, sorted({node_name(tensor) for tensor in outputs.values()})
        )
    except tf.errors.FailedPreconditionError as err:
        raise SourceError(f"a variable has no value: {err.message.splitlines()[0]}; give its checkpoint") from err
    frozen = prune(constant, {node_name(tensor) for tensor in outputs.values()})
    init_ops = _keep_tables(session, frozen)
    kept = {node.name for node in frozen.node}
    places = {tensor: fed_tensor(graph, tensor) for tensor in (*inputs.values(), *constants)}
    fed = {places[tensor]: value for tensor, value in constants.items() if node_name(places[tensor]) in kept}
    idle = [tensor for tensor in constants if places[tensor] not in fed]
    unused = tuple(f"{tensor}: no output needs it, so its constant is left out" for tensor in idle)
    known = {node.name: node.op for node in frozen.node}

    def original(arrays: Arrays) -> dict[str, Array]:
        feeds = {inputs[name]: array for name, array in arrays.items()} | dict(constants)
        values = session.run(list(outputs.values()), feeds)
        return {name: _array(value) for name, value in zip(outputs, values, strict=True)}

    def input_spec(name: str, tensor: str) -> TensorSpec:
        found = spec_of(name, places[tensor], graph.get_tensor_by_name(tensor))
        return replace(found, optional=known.get(node_name(tensor)) == "PlaceholderWithDefault")

    return Frozen(
        frozen,
        {name: input_spec(name, tensor) for name, tensor in inputs.items()},
        {name: spec_of(name, tensor, graph.get_tensor_by_name(tensor)) for name, tensor in outputs.items()},
        original,
        nodes=count_nodes(graph.as_graph_def()),
        bytes=size,
        constants=fed,
        init_ops=init_ops,
        notes=unused,
        suggestions=choice.suggestions,
    )


def _array(value: Any) -> Array:
    """Return a fetched value as an array; a lone string comes as bytes, which numpy would cut at a zero."""
    return np.asarray(value, dtype=object if isinstance(value, bytes) else None)


def cut(graph: Any, inputs: Iterable[str], outputs: Iterable[str], constants: Iterable[str]) -> Any:
    """Return the GraphDef between inputs and outputs, all of them names of tensors that the graph has.

    An input inside the graph becomes a placeholder named by `fed_tensor`, so that what stands before it falls away.
    Raises SourceError: an input nobody needs, a placeholder that nobody feeds.
    """
    fed, asked, fixed = list(inputs), list(outputs), list(constants)
    graph_def = graph.as_graph_def(add_shapes=False)
    places = {tensor: fed_tensor(graph, tensor) for tensor in (*fed, *fixed)}
    for tensor, place in places.items():
        _set_placeholder(graph_def, graph.get_tensor_by_name(tensor), node_name(place))
    needed = prune(graph_def, {node_name(tensor) for tensor in asked})
    kept = {node.name for node in needed.node}
    idle = [tensor for tensor in fed if node_name(places[tensor]) not in kept]
    if idle:
        raise SourceError(
            f"the outputs {', '.join(asked)} do not depend on {', '.join(idle)}; leave it out of the inputs"
        )
    _check_fed(needed, {node_name(place) for place in places.values()})
    return needed


def fed_tensor(graph: Any, tensor: str) -> str:
    """Return what a tensor that is fed is called in the frozen graph: one of several results gets its own node."""
    found = graph.get_tensor_by_name(tensor)
    return tensor if len(found.op.outputs) == 1 else f"{found.op.name}/output_{found.value_index}:0"


def _check_fed(needed: Any, fed: set[str]) -> None:
    unfed = [node for node in needed.node if node.op in ("Placeholder", "PlaceholderV2") and node.name not in fed]
    for node in unfed:
        dtype = tf.as_dtype(node.attr["dtype"].type)
        if dtype in (tf.resource, tf.variant):
            raise SourceError(
                f"{node.name} is a placeholder for a table or variable that an earlier freeze lost; "
                "freeze the SavedModel or checkpoint that this graph was made from"
            )
    if unfed:
        node = unfed[0]
        raise SourceError(
            f"the outputs need {', '.join(each.name for each in unfed)}, which nobody feeds; add it to --inputs, "
            f"or fix it, as --constant {node.name}=VALUE ({tf.as_dtype(node.attr['dtype'].type).name})"
        )


def _set_placeholder(graph_def: Any, tensor: Any, name: str) -> None:
    """Put a placeholder in the place of the operation that gives a tensor, or beside it where it gives others too."""
    if tensor.op.type.startswith("Placeholder"):
        return
    node = tf.compat.v1.NodeDef(name=name, op="Placeholder")
    node.attr["dtype"].type = tensor.dtype.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(tensor.shape.as_proto())
    spellings = (tensor.name, tensor.name.removesuffix(":0"))
    for other in graph_def.node:
        if other.name == name:
            other.CopyFrom(node)
            return
        for place, source in enumerate(other.input):
            if source in spellings:
                other.input[place] = name
    graph_def.node.append(node)


def _keep_tables(session: Any, frozen: Any) -> tuple[str, ...]:
    """Set each table of a frozen graph up to be filled with what it holds in the session; return the fillers."""
    fillers = []
    for node in [node for node in frozen.node if node.op in TABLE_OPS]:
        with session.graph.as_default():
            handle = session.graph.get_tensor_by_name(f"{node.name}:0")
            dtypes = node.attr["key_dtype"].type, node.attr["value_dtype"].type
            export = gen_lookup_ops.lookup_table_export_v2(handle, *dtypes)
        try:
            keys, values = session.run(export)
        except tf.errors.FailedPreconditionError as err:
            raise SourceError(f"the table {node.name} is not initialised, so its content can't be kept") from err
        node.CopyFrom(table_node(node.name, (keys, values)))
        fillers.append(add_content(frozen, node.name, (keys, values)))
    return tuple(fillers)
