"""A frozen graph under a scope: every name that must not meet another part's gets it in front."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import tensorflow as tf

from soapsvc.authoring.freeze_request import node_name

_NODE = re.compile(r"[^:^]+")  # in an edge such as `^x`, `x` or `x:1`
_FRAME_OPS = ("Enter", "RefEnter")


def under_scope(graph_def: Any, scope: str) -> tuple[Any, Callable[[str], str]]:
    """Return a copy of a GraphDef whose names all begin with `scope/`, and the function that renames a tensor or node.

    Nodes that are under the scope already stay as they are. Functions, loops' frames and tables' shared names,
    which a whole graph has in common, get the scope too.
    """
    names = _scoped_names([node.name for node in graph_def.node], scope)
    functions = {each.signature.name: f"{scope}__{each.signature.name}" for each in graph_def.library.function}
    copy = tf.compat.v1.GraphDef()
    copy.CopyFrom(graph_def)
    for node in copy.node:
        node.name = names[node.name]
        node.input[:] = [_rename(edge, names) for edge in node.input]
        _separate(node, scope, functions)
    for function in copy.library.function:
        function.signature.name = functions[function.signature.name]
        for node in function.node_def:
            _separate(node, scope, functions)
    for gradient in copy.library.gradient:
        gradient.function_name = functions.get(gradient.function_name, gradient.function_name)
        gradient.gradient_func = functions.get(gradient.gradient_func, gradient.gradient_func)
    return copy, lambda name: _rename(name, names)


def _scoped_names(nodes: Iterable[str], scope: str) -> dict[str, str]:
    own = f"{scope}/"
    kept = {name: name if name.startswith(own) else own + name for name in nodes}
    return kept if len(set(kept.values())) == len(kept) else {name: own + name for name in kept}


def _rename(edge: str, names: Mapping[str, str]) -> str:
    return _NODE.sub(names[node_name(edge)], edge, count=1)


def _separate(node: Any, scope: str, functions: Mapping[str, str]) -> None:
    """Rename the functions that a node calls, its loop's frame and its table's shared name."""
    node.op = functions.get(node.op, node.op)
    for value in node.attr.values():
        for called in (value.func, *value.list.func) if value.HasField("func") else value.list.func:
            called.name = functions.get(called.name, called.name)
    if node.op in _FRAME_OPS:
        node.attr["frame_name"].s = f"{scope}/".encode() + node.attr["frame_name"].s
    if node.attr["shared_name"].s if "shared_name" in node.attr else b"":
        node.attr["shared_name"].s = f"{scope}/".encode() + node.attr["shared_name"].s
