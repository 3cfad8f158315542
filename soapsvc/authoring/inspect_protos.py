"""The facts that TensorFlow's protos record: signatures, versions, trainable variables, constants, operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from soapsvc.authoring.graphs import UNKNOWN, TypedGraph, nodes_of, shape_of
from soapsvc.authoring.inspect_summary import NamedTensor, Operation, SignatureFound, StoredTensor
from soapsvc.authoring.source import SourceError
from soapsvc.model.dtypes import Array

_INIT = "__saved_model_init_op"  # TensorFlow keeps an initialiser under this name, among the signatures


def signatures_of(meta: Any) -> tuple[SignatureFound, ...]:
    """Return the signatures of a MetaGraphDef, sorted by name."""
    return tuple(
        SignatureFound(name, _described(entry.inputs), _described(entry.outputs))
        for name, entry in sorted(meta.signature_def.items())
        if name != _INIT
    )


def signed_inputs(signatures: Iterable[SignatureFound]) -> tuple[NamedTensor, ...]:
    """Return the signatures' inputs as suggestions, each tensor once."""
    return _once((each.name, tensor) for each in signatures for tensor in each.inputs)


def signed_outputs(signatures: Iterable[SignatureFound]) -> tuple[NamedTensor, ...]:
    """Return the signatures' outputs as suggestions, each tensor once."""
    return _once((each.name, tensor) for each in signatures for tensor in each.outputs)


def _once(pairs: Iterable[tuple[str, NamedTensor]]) -> tuple[NamedTensor, ...]:
    found: dict[str, NamedTensor] = {}
    naming: dict[str, list[str]] = {}
    for signature, tensor in pairs:
        found.setdefault(tensor.tensor, tensor)
        naming.setdefault(tensor.tensor, []).append(repr(signature))
    return tuple(
        NamedTensor(each.name, name, each.dtype, each.shape, f"named by the signature {', '.join(naming[name])}")
        for name, each in found.items()
    )


def _described(infos: Any) -> tuple[NamedTensor, ...]:
    import tensorflow as tf

    return tuple(
        NamedTensor(
            name,
            info.name or "(several tensors)",  # sparse, ragged
            tf.as_dtype(info.dtype).name if info.dtype else UNKNOWN,
            shape_of(info.tensor_shape),
        )
        for name, info in sorted(infos.items())
    )


def written_by(meta: Any) -> tuple[str, ...]:
    """Return the TensorFlow version that a MetaGraphDef records."""
    version = meta.meta_info_def.tensorflow_version
    return (f"TensorFlow {version}",) if version else ()


def trainable_names(meta: Any) -> Collection[str] | None:
    """Return the checkpoint's names of a TF1 graph's trainable variables, None when it lists no variables."""
    from tensorflow.core.framework.variable_pb2 import VariableDef

    if "variables" not in meta.collection_def and "trainable_variables" not in meta.collection_def:
        return None
    listed = meta.collection_def["trainable_variables"].bytes_list.value
    names = set()
    for each in listed:
        variable = VariableDef.FromString(each)
        slice_of = variable.save_slice_info_def.full_name  # a part of a partitioned variable
        names.add(slice_of or variable.variable_name.split(":")[0])
    return names


def trainable_objects(meta: Any) -> Collection[str]:
    """Return the full names of the trainable variables among a TF2 SavedModel's objects."""
    variables = [node.variable for node in meta.object_graph_def.nodes if node.HasField("variable")]
    return {variable.name for variable in variables if variable.trainable}


def operations_of(graph_def: Any) -> tuple[Operation, ...]:
    """Return every node, those in functions too."""
    return tuple(Operation(node.name, node.op, tuple(node.input), function) for function, node in nodes_of(graph_def))


def constant(node: Any, path: Path) -> StoredTensor:
    """Return what a Const node stores. Raises SourceError when it stores no tensor."""
    import tensorflow as tf

    proto = node.attr["value"].tensor
    if not proto.dtype:
        raise SourceError(f"{path}: tensor {node.name}: the constant has no value; the file is damaged")
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    return StoredTensor(node.name, tf.as_dtype(proto.dtype).name, shape)


def constant_value(node: Any, path: Path) -> Array:
    """Return a Const node's value. Raises SourceError naming it when its bytes don't fit its shape."""
    import tensorflow as tf

    try:
        return np.asarray(tf.make_ndarray(node.attr["value"].tensor))
    except (ValueError, TypeError, IndexError) as err:
        raise SourceError(f"{path}: tensor {node.name} is damaged: {' '.join(str(err).split())}") from err


def graph_notes(graph_def: Any, typed: TypedGraph) -> tuple[str, ...]:
    """Return what an author should know of a graph before it is frozen."""
    ops = Counter(node.op for _, node in nodes_of(graph_def))
    notes = []
    if typed.problem:
        notes.append(f"TensorFlow can't import the graph, so shapes are incomplete: {typed.problem}")
    tables = sum(number for op, number in ops.items() if "HashTable" in op)
    if tables:
        notes.append(f"it has {tables} lookup table nodes, which need initialising after each load")
    python = sorted(op for op in ops if op in ("PyFunc", "PyFuncStateless", "EagerPyFunc"))
    if python:
        notes.append(f"it calls Python ({', '.join(python)}) that is not in the file; it can't be served")
    return tuple(notes)
