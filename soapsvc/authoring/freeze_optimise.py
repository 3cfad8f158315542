"""Optimising a frozen graph: constants folded, and what only training needs dropped, by TensorFlow's Grappler.

Only passes that keep a graph portable: none that lays tensors out or fuses ops for one processor.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2, rewriter_config_pb2
from tensorflow.python.grappler import tf_optimizer

from soapsvc.authoring.freeze import op_types, prune
from soapsvc.authoring.freeze_request import node_name
from soapsvc.authoring.freeze_result import Frozen
from soapsvc.model.allowed_ops import ALLOWED_OPS

_PASSES = ("debug_stripper", "pruning", "constfold", "dependency", "pruning")
_MOST_GROWTH_BYTES = 10 * 1024  # by folding: a Fill or Tile is small, what it makes may be large
_MOST_RUNS = 5


class OptimiseError(Exception):
    """A graph can't be optimised; it serves as it is."""


def optimised(frozen: Frozen) -> Frozen:
    """Return the frozen graph with fewer nodes: inputs, outputs, constants that are fed and init_ops keep their names.

    Raises OptimiseError.
    """
    tensors = [spec.tensor for spec in (*frozen.inputs.values(), *frozen.outputs.values())]
    keep = {node_name(tensor) for tensor in (*tensors, *frozen.constants)} | set(frozen.init_ops)
    return replace(frozen, graph_def=_without_growth(frozen.graph_def, keep))


def _without_growth(before: Any, keep: set[str]) -> Any:
    """Run Grappler, again with what grew kept as it was, until nothing grows much."""
    untouched = set(keep)
    for _ in range(_MOST_RUNS):
        after = prune(_run(before, untouched), keep)
        grown = _grown(before, after)
        if not grown:
            break
        untouched |= grown
    if grown or after.ByteSize() > before.ByteSize() + _MOST_GROWTH_BYTES:
        raise OptimiseError(f"it would grow from {before.ByteSize()} to {after.ByteSize()} bytes")
    foreign = op_types(after) - op_types(before) - ALLOWED_OPS
    if foreign:
        raise OptimiseError(f"it would hold ops that are not served: {', '.join(sorted(foreign))}")
    return after


def _run(graph_def: Any, keep: Iterable[str]) -> Any:
    """Return the graph as Grappler rewrites it; nodes in `keep` stay, with their names and ops."""
    meta = meta_graph_pb2.MetaGraphDef()
    meta.graph_def.CopyFrom(graph_def)
    meta.collection_def["train_op"].node_list.value.extend(sorted(keep))  # where Grappler looks for what is fetched
    config = config_pb2.ConfigProto()
    options = config.graph_options.rewrite_options
    options.optimizers.extend(_PASSES)  # named, so that no other pass runs
    options.min_graph_nodes = -1
    options.meta_optimizer_iterations = rewriter_config_pb2.RewriterConfig.TWO
    try:
        return tf_optimizer.OptimizeGraph(config, meta, verbose=False)
    except (tf.errors.OpError, ValueError) as err:  # ValueError: more than 2 GB
        raise OptimiseError(str(err).splitlines()[0]) from err


def _grown(before: Any, after: Any) -> set[str]:
    """Return the nodes that became constants much larger than the constants which they took the place of."""
    nodes = {node.name: node for node in before.node}
    constants = {node.name: node.ByteSize() for node in after.node if node.op == "Const"}
    grown = set()
    for name, size in constants.items():
        if size > _MOST_GROWTH_BYTES and name in nodes and nodes[name].op != "Const":
            gone = _sources(nodes, name) - constants.keys()
            if size > _MOST_GROWTH_BYTES + sum(nodes[each].ByteSize() for each in gone):
                grown.add(name)
    return grown


def _sources(nodes: dict[str, Any], name: str) -> set[str]:
    """Return all nodes that a node needs, itself included."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting += [node_name(edge) for edge in nodes[each].input]
    return seen
