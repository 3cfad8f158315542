"""Freezing what a TF1 session holds: chosen tensors in, chosen tensors out, variables and tables made constant.

The common part of frozen graphs from elsewhere, meta graphs and TF1 SavedModels.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    fed = {tensor: value for tensor, value in constants.items() if node_name(tensor) in kept}
    unused = tuple(f"{tensor}: no output needs it, so its constant is left out" for tensor in constants.keys() - fed)
    known = {node.name: node.op for node in frozen.node}

    def original(arrays: Arrays) -> dict[str, Array]:
        feeds = {inputs[name]: array for name, array in arrays.items()} | dict(constants)
        values = session.run(list(outputs.values()), feeds)
        return {name: _array(value) for name, value in zip(outputs, values, strict=True)}

    def spec(name: str, tensor: str) -> TensorSpec:
        found = spec_of(name, tensor, graph.get_tensor_by_name(tensor))
        optional = known.get(node_name(tensor)) == "PlaceholderWithDefault" and name in inputs
        return TensorSpec(name, tensor, found.dtype, found.shape, optional)

    return Frozen(
        frozen,
        {name: spec(name, tensor) for name, tensor in inputs.items()},
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

    An input inside the graph becomes a placeholder, so that what stands before it falls away.
    Raises SourceError: an input nobody needs, a placeholder that nobody feeds.
    """
    fed, asked, fixed = list(inputs), list(outputs), list(constants)
    graph_def = graph.as_graph_def(add_shapes=False)
    for node in graph_def.node:
        if f"{node.name}:0" in {*fed, *fixed} and not node.op.startswith("Placeholder"):
            node.CopyFrom(_placeholder(node.name, graph.get_tensor_by_name(f"{node.name}:0")))
    needed = prune(graph_def, {node_name(tensor) for tensor in asked})
    kept = {node.name for node in needed.node}
    idle = [tensor for tensor in fed if node_name(tensor) not in kept]
    if idle:
        raise SourceError(
            f"the outputs {', '.join(asked)} do not depend on {', '.join(idle)}; leave it out of the inputs"
        )
    _check_fed(needed, {node_name(tensor) for tensor in (*fed, *fixed)})
    return needed


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


def _placeholder(name: str, tensor: Any) -> Any:
    node = tf.compat.v1.NodeDef(name=name, op="Placeholder")
    node.attr["dtype"].type = tensor.dtype.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(tensor.shape.as_proto())
    return node


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
