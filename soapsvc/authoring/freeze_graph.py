"""Freezing graphs by the names of their tensors: a `.pb` or `.pbtxt`, a meta graph and its checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from soapsvc.authoring.freeze import op_types
from soapsvc.authoring.freeze_request import Request, node_name, tensor_name
from soapsvc.authoring.freeze_result import Frozen, distinct, given_names, size_of
from soapsvc.authoring.freeze_session import cut, freeze_session
from soapsvc.authoring.freeze_tables import FILLERS
from soapsvc.authoring.graphs import PLUMBING, read_graph, read_meta_graph
from soapsvc.authoring.source import Source, SourceError

_VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp"})
_NO_RESULTS = ("Const", "NoOp", "Assert", "Placeholder", "Assign", "Apply", "ResourceApply", "Save", "Restore", "Print")
_MOST_ENDS = 8  # named in a message
_TRAINING_SCOPES = ("gradients", "save", "report_uninitialized_variables")


def freeze_graph_file(source: Source, request: Request) -> Frozen:
    """Freeze a graph that holds no variables, `.pb` or `.pbtxt`. Raises SourceError."""
    graph_def = read_graph(source.path)
    check_known(graph_def)
    graph = tf.Graph()
    _import(graph, graph_def, source.path)
    inputs, outputs, constants = _chosen(graph, request)
    needed = cut(graph, inputs, outputs, constants)
    variables = [node.name for node in needed.node if node.op in _VARIABLES]
    if variables:
        raise SourceError(
            f"{source.path} is not frozen: it has variables, as {variables[0]}, but no values for them; "
            "give the checkpoint that goes with it"
        )
    session = tf.compat.v1.Session(graph=graph)
    session.run([op for op in graph.get_operations() if op.type in FILLERS])
    return freeze_session(
        session, needed, *_named(request, inputs, outputs), constants, size_of(source.path),
        _suggestions(request, inputs, outputs),
    )  # fmt: skip


def freeze_meta_graph(source: Source, request: Request) -> Frozen:
    """Freeze a meta graph with the checkpoint beside it. Raises SourceError naming what the checkpoint lacks."""
    meta = read_meta_graph(source.part(".meta"))
    check_known(meta.graph_def)
    graph = tf.Graph()
    with graph.as_default():
        try:
            tf.compat.v1.train.import_meta_graph(meta, clear_devices=True)
        except (ValueError, KeyError, tf.errors.OpError) as err:
            raise SourceError(f"{source.prefix}.meta can't be imported: {err}") from err
    inputs, outputs, constants = _chosen(graph, request)
    if len(outputs) > 1 and not request.outputs and not request.collection:
        some = ", ".join(outputs[:_MOST_ENDS]) + (" and others" if len(outputs) > _MOST_ENDS else "")
        raise SourceError(f"the graph has several ends: {some}; choose with --outputs or --collection, see `inspect`")
    needed = cut(graph, inputs, outputs, constants)
    session = tf.compat.v1.Session(graph=graph)
    _restore(session, source.prefix, {node.name for node in needed.node if node.op in _VARIABLES})
    session.run(graph.get_collection(tf.compat.v1.GraphKeys.TABLE_INITIALIZERS))
    size = sum(size_of(path) for path in source.parts())
    return freeze_session(
        session, needed, *_named(request, inputs, outputs), constants, size, _suggestions(request, inputs, outputs)
    )


def check_known(graph_def: Any) -> None:
    """Raise SourceError at an op that this TensorFlow does not have."""
    unknown = sorted(op for op in op_types(graph_def) if op_def_registry.get(op) is None)
    if unknown:
        raise SourceError(
            f"unknown op {', '.join(unknown)}; name the Python module that has it with --op-library MODULE"
        )


def _import(graph: Any, graph_def: Any, path: Path) -> None:
    for node in graph_def.node:
        node.device = ""
    try:
        with graph.as_default():
            tf.graph_util.import_graph_def(graph_def, name="")
    except (ValueError, KeyError, tf.errors.OpError) as err:
        raise SourceError(f"{path} can't be imported: {err}") from err


def _restore(session: Any, prefix: str, names: set[str]) -> None:
    """Give the named variables their values in a checkpoint."""
    with session.graph.as_default():
        found = [each for each in tf.compat.v1.global_variables() if each.op.name in names]
    nameless = names - {each.op.name for each in found}
    if nameless:
        raise SourceError(
            f"{prefix}.meta does not list its variable {min(nameless)}; save it again with tf.train.Saver"
        )
    try:
        reader = tf.compat.v1.train.NewCheckpointReader(prefix)
        missing = sorted({_saved_name(each) for each in found} - reader.get_variable_to_shape_map().keys())
        if missing:
            raise SourceError(
                f"the checkpoint {prefix} lacks the variable {', '.join(missing)}, which the outputs need"
            )
        if found:
            with session.graph.as_default():
                tf.compat.v1.train.Saver(found).restore(session, prefix)
    except (tf.errors.OpError, ValueError) as err:
        raise SourceError(f"the checkpoint {prefix} can't be restored: {str(err).splitlines()[0]}") from err


def _saved_name(variable: Any) -> str:
    part = getattr(variable, "_save_slice_info", None)  # of a partitioned variable
    return str(part.full_name if part is not None else variable.op.name)


Tensors = tuple[list[str], list[str], dict[str, Any]]


def _chosen(graph: Any, request: Request) -> Tensors:
    """Return tensor names of inputs and outputs, and the constants by tensor name."""
    constants = {tensor_name(name): value for name, value in request.constants.items()}
    outputs = [tensor_name(name) for name in request.outputs]
    if request.collection:
        outputs += _collected(graph, request.collection)
    outputs = outputs or suggested_outputs(graph)
    if request.inputs:
        return [tensor_name(name) for name in request.inputs], outputs, constants
    known = {tensor for op in graph.get_operations() for tensor in [each.name for each in op.outputs]}
    reached = _reached(graph, [tensor for tensor in outputs if tensor in known])
    placeholders = [op for op in graph.get_operations() if op.type.startswith("Placeholder") and op.name in reached]
    inputs = [op.outputs[0].name for op in placeholders if op.outputs[0].dtype not in (tf.resource, tf.variant)]
    return [name for name in inputs if name not in constants], outputs, constants


def _collected(graph: Any, key: str) -> list[str]:
    tensors = [item.name for item in graph.get_collection(key) if isinstance(item, tf.Tensor)]
    if not tensors:
        keys = ", ".join(map(str, graph.get_all_collection_keys())) or "none"
        raise SourceError(f"--collection {key}: no tensors; the graph has the collections {keys}")
    return tensors


def _reached(graph: Any, outputs: Iterable[str]) -> set[str]:
    waiting = [graph.get_tensor_by_name(name).op for name in outputs]
    seen: set[str] = set()
    while waiting:
        op = waiting.pop()
        if op.name not in seen:
            seen.add(op.name)
            waiting += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    return seen


def suggested_outputs(graph: Any) -> list[str]:
    """Return the tensors that a placeholder flows into and nobody consumes, but training's. Raises SourceError."""
    fed = _depending(graph)
    names = [
        op.outputs[0].name
        for op in graph.get_operations()
        if op.name in fed
        and len(op.outputs) >= 1
        and not any(tensor.consumers() for tensor in op.outputs)
        and not op.type.startswith(_NO_RESULTS)
        and op.name.split("/")[0] not in _TRAINING_SCOPES
        and not PLUMBING.search(op.name)
        and not op.outputs[0].dtype._is_ref_dtype
    ]
    if not names:
        raise SourceError("no output can be suggested: nothing that depends on a placeholder ends; give --outputs")
    return names


def _depending(graph: Any) -> set[str]:
    """Return the names of the operations that some placeholder flows into."""
    depending: set[str] = set()
    waiting = [op for op in graph.get_operations() if op.type.startswith("Placeholder")]
    while waiting:
        op = waiting.pop()
        for follower in (each for tensor in op.outputs for each in tensor.consumers()):
            if follower.name not in depending:
                depending.add(follower.name)
                waiting.append(follower)
    return depending


def _named(request: Request, inputs: list[str], outputs: list[str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return inputs and outputs by the contract's names."""
    if not inputs:
        raise SourceError("the outputs depend on no placeholder; name the tensors that calls feed with --inputs")
    ins = (
        given_names("--input-names", request.input_names, inputs) if request.input_names else distinct(_leaves(inputs))
    )
    outs = (
        given_names("--output-names", request.output_names, outputs)
        if request.output_names
        else distinct(_leaves(outputs), taken=ins)
    )
    return dict(zip(ins, inputs, strict=True)), dict(zip(outs, outputs, strict=True))


def _leaves(tensors: list[str]) -> list[str]:
    """Return the last parts of tensors' names, the whole names where two would be alike."""
    leaves = [node_name(tensor).rsplit("/", 1)[-1] for tensor in tensors]
    return [
        leaf if leaves.count(leaf) == 1 else node_name(tensor) for leaf, tensor in zip(leaves, tensors, strict=True)
    ]


def _suggestions(request: Request, inputs: list[str], outputs: list[str]) -> tuple[str, ...]:
    notes = []
    if not request.inputs:
        notes.append(f"inputs, being the placeholders that the outputs need: {', '.join(inputs)}")
    if not request.outputs and not request.collection:
        notes.append(f"outputs, being the ends that nobody consumes: {', '.join(outputs)}; choose with --outputs")
    return tuple(notes)
