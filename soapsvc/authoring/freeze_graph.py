"""Freezing graphs by the names of their tensors: a `.pb` or `.pbtxt`, a meta graph and its checkpoint."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from soapsvc.authoring.freeze import op_types
from soapsvc.authoring.freeze_choice import choose
from soapsvc.authoring.freeze_request import Request
from soapsvc.authoring.freeze_result import Frozen, size_of
from soapsvc.authoring.freeze_session import cut, freeze_session
from soapsvc.authoring.freeze_tables import FILLERS
from soapsvc.authoring.graphs import read_graph, read_meta_graph
from soapsvc.authoring.source import Source, SourceError

_VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp"})


def freeze_graph_file(source: Source, request: Request) -> Frozen:
    """Freeze a graph that holds no variables, `.pb` or `.pbtxt`. Raises SourceError."""
    graph_def = read_graph(source.path)
    check_known(graph_def)
    graph = tf.Graph()
    _import(graph, graph_def, source.path)
    choice = choose(graph, request)
    needed = cut(graph, choice.inputs.values(), choice.outputs.values(), choice.constants)
    variables = [node.name for node in needed.node if node.op in _VARIABLES]
    if variables:
        raise SourceError(
            f"{source.path} is not frozen: it has variables, as {variables[0]}, but no values for them; "
            "give the checkpoint that goes with it"
        )
    session = tf.compat.v1.Session(graph=graph)
    session.run([op for op in graph.get_operations() if op.type in FILLERS])
    return freeze_session(session, needed, choice, size_of(source.path))


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
    return freeze_restored(graph, source, request)


def freeze_restored(graph: Any, source: Source, request: Request) -> Frozen:
    """Freeze a tf.Graph with the values that its variables have in a checkpoint, which are found by their names."""
    choice = choose(graph, request, one_end=True)
    needed = cut(graph, choice.inputs.values(), choice.outputs.values(), choice.constants)
    session = tf.compat.v1.Session(graph=graph)
    _restore(session, source.prefix, {node.name for node in needed.node if node.op in _VARIABLES}, request.scope)
    session.run(graph.get_collection(tf.compat.v1.GraphKeys.TABLE_INITIALIZERS))
    return freeze_session(session, needed, choice, sum(size_of(path) for path in source.parts()))


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


def _restore(session: Any, prefix: str, names: set[str], scope: str) -> None:
    """Give the named variables their values in a checkpoint, where they may be under the scope of their part."""
    with session.graph.as_default():
        found = [each for each in tf.compat.v1.global_variables() if each.op.name in names]
    nameless = names - {each.op.name for each in found}
    if nameless:
        raise SourceError(
            f"the graph for {prefix} lists its variable {min(nameless)} in no collection of global variables; make it "
            "with tf.compat.v1.get_variable, and save a meta graph with tf.compat.v1.train.Saver"
        )
    try:
        reader = tf.compat.v1.train.NewCheckpointReader(prefix)
        stored = reader.get_variable_to_shape_map().keys()
        scoped = {_scoped_name(_saved_name(each), scope, stored): each for each in found}
        missing = sorted(scoped.keys() - stored)
        if missing:
            alike = [name for lost in missing for name in difflib.get_close_matches(lost, stored, 3, 0.5)]
            hint = f"; most alike are {', '.join(dict.fromkeys(alike))}" if alike else ""
            raise SourceError(
                f"the checkpoint {prefix} lacks the variable {', '.join(missing)}, which the outputs need{hint}"
            )
        plain = {_saved_name(each) for each in found} <= stored
        if found:
            with session.graph.as_default():
                tf.compat.v1.train.Saver(found if plain else scoped).restore(session, prefix)
    except (tf.errors.OpError, ValueError) as err:
        raise SourceError(f"the checkpoint {prefix} can't be restored: {str(err).splitlines()[0]}") from err


def _saved_name(variable: Any) -> str:
    part = getattr(variable, "_save_slice_info", None)  # of a partitioned variable
    return str(part.full_name if part is not None else variable.op.name)


def _scoped_name(name: str, scope: str, stored: Collection[str]) -> str:
    """Return what a checkpoint calls a variable of a part: its name, or that with the scope added or taken away."""
    own = f"{scope}/"
    alike = (name, own + name, name.removeprefix(own)) if scope else (name,)
    return next((each for each in alike if each in stored), name)
