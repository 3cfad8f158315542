"""Which tensors of a graph are likely its inputs and outputs, and why: suggestions, which an author confirms.

Knows graphs only. The rules are those that hold in real models: inputs are Placeholders, outputs are what nobody
consumes; a training graph has dozens of false ends, so what training added is looked past.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from soapsvc.authoring.graphs import TypedGraph, node_name
from soapsvc.authoring.inspect_summary import NamedTensor

_TRAINING = re.compile(r"(^|/)(gradients(_\d+)?|save(_\d+)?|report_uninitialized_variables|Initializer)(/|$)")
_NO_OUTPUT = re.compile(
    r"^(Const|NoOp|Assign.*|.*Summary.*|Assert|VariableV?2?|VarHandleOp|ReadVariableOp|.*IsVariableInit.*|VarIsInit.*"
    r"|Placeholder.*|.*Apply.*|(Save|Restore|MergeV2).*|ShardedFilename|.*HashTable.*|InitializeTable.*|Print.*"
    r"|IteratorGetNext|.*Iterator.*|.*Dataset.*|Switch|Merge|RefSwitch|Shape|.*DestroyResource.*)$"
)
_PLUMBING = re.compile(r"(^|/)(AssignMovingAvg(_\d+)?/[^/]+|cond(_\d+)?/(switch_[tf]|pred_id))$")  # of TF1 layers
_NO_USER = re.compile(r"^(NoOp|Assert|Print.*|.*Summary.*|Assign.*|(Save|MergeV2).*|InitializeTable.*)$")
_PROBABLE = {"Softmax", "Sigmoid", "ArgMax"}
_MOST_USERS = 4  # named at an input
_LAYERS = {"MatMul", "BatchMatMul", "BatchMatMulV2", "Conv2D", "BiasAdd", *_PROBABLE}
_INPUTS = {
    "Placeholder": "Placeholder",
    "PlaceholderV2": "Placeholder",
    "PlaceholderWithDefault": "Placeholder with a default, so it is optional",
    "IteratorGetNext": "comes from a tf.data iterator; feed this tensor in its place",
}
_OWN_COLLECTIONS = re.compile(
    r"variables$|^(train_op|savers|.*_context|summaries|global_step|update_ops|losses|regularization_losses|"
    r"table_initializer|queue_runners|.*init_op|iterators|while_.*|cond_.*)$"
)


def suggest(
    graph_def: Any, typed: TypedGraph, collections: Mapping[str, Iterable[str]]
) -> tuple[tuple[NamedTensor, ...], tuple[NamedTensor, ...]]:
    """Return likely inputs and likely outputs, the likeliest outputs first.

    collections: key -> names of what a meta graph lists under it; TensorFlow's own keys are passed over.
    """
    links = _Links(graph_def)
    reasons = _listed(links, typed, collections)
    for node, why in [*_probabilities(links), *_ends(links)]:
        for tensor, dtype, _ in typed.outputs(node):
            if dtype not in ("resource", "variant"):
                reasons.setdefault(tensor, []).append(why)
    outputs = tuple(_named(typed, tensor, "; ".join(why)) for tensor, why in reasons.items())
    return tuple(each for each, _ in _inputs(links, typed, [output.name for output in outputs])), outputs


def needed_inputs(graph_def: Any, typed: TypedGraph, outputs: Iterable[str]) -> tuple[NamedTensor, ...]:
    """Return the likely inputs that some outputs, tensors such as `x:0`, need."""
    nodes = dict.fromkeys(node_name(output) for output in outputs)
    return tuple(each for each, users in _inputs(_Links(graph_def), typed, list(nodes)) if users)


def _inputs(links: _Links, typed: TypedGraph, outputs: list[str]) -> Iterator[tuple[NamedTensor, list[str]]]:
    """Yield each likely input, and which of the outputs, nodes, need it."""
    needs = {name: links.tensors(name) for name in outputs}
    for node in links.nodes.values():
        for tensor, dtype, shape in typed.outputs(node.name) if node.op in _INPUTS else ():
            if dtype not in ("resource", "variant"):
                users = [name for name in needs if tensor in needs[name]]
                why = _INPUTS[node.op] + _needed(users, outputs)
                yield NamedTensor(node_name(tensor), tensor, dtype, shape, why), users


class _Links:
    """Who feeds whom in the part of the graph that training did not add."""

    def __init__(self, graph_def: Any) -> None:
        self.nodes = {node.name: node for node in graph_def.node if not _TRAINING.search(node.name)}
        self.given = {name: [node_name(edge) for edge in node.input] for name, node in self.nodes.items()}
        self.users: dict[str, list[str]] = {}
        for name, node in self.nodes.items():
            for edge in node.input:
                if not edge.startswith("^") and not _NO_USER.match(node.op):
                    self.users.setdefault(node_name(edge), []).append(name)
        self.fed = self._closure([n for n, node in self.nodes.items() if node.op in _INPUTS], self.users)

    def sources(self, name: str) -> set[str]:
        """Return all that a node needs, itself included."""
        return self._closure([name], self.given)

    def tensors(self, name: str) -> set[str]:
        """Return the tensors that a node needs, its own first result included."""
        edges = {edge for node in self.sources(name) & self.nodes.keys() for edge in self.nodes[node].input} | {name}
        return {edge if ":" in edge else f"{node_name(edge)}:0" for edge in edges}

    def followers(self, name: str) -> set[str]:
        """Return all that a node's value flows into."""
        return self._closure([name], self.users) - {name}

    @staticmethod
    def _closure(start: list[str], step: Mapping[str, list[str]]) -> set[str]:
        seen: set[str] = set()
        waiting = list(start)
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += step.get(name, [])
        return seen


def _listed(links: _Links, typed: TypedGraph, collections: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for key, names in collections.items():
        for name in names if not _OWN_COLLECTIONS.search(key) else ():
            node = links.nodes.get(node_name(name))
            if node is not None and not _NO_OUTPUT.match(node.op) and typed.tensor(name):
                reasons.setdefault(name, []).append(f"listed in the collection {key!r}")
    return reasons


def _probabilities(links: _Links) -> list[tuple[str, str]]:
    """Return the last Softmax and its like: a loss may consume them, but no layer does."""
    found = []
    for name, node in links.nodes.items():
        if node.op in _PROBABLE and name in links.fed and links.users.get(name):
            after = {links.nodes[follower].op for follower in links.followers(name)}
            if not after & _LAYERS:
                found.append((name, f"{node.op} with no layer after it"))
    return found


def _ends(links: _Links) -> list[tuple[str, str]]:
    """Return what depends on an input and nobody consumes; without inputs, what nobody consumes."""
    ends = [
        (node.op not in _PROBABLE, name)
        for name, node in links.nodes.items()
        if not links.users.get(name) and not _NO_OUTPUT.match(node.op) and not _PLUMBING.search(name)
    ]
    ends.sort(key=lambda end: end[0])  # probabilities first, else as they stand in the graph
    return [(name, "nobody consumes it") for _, name in ends if name in links.fed or not links.fed]


def _needed(users: list[str], outputs: list[str]) -> str:
    if not outputs:
        return ""
    more = f" and {len(users) - _MOST_USERS} more" if len(users) > _MOST_USERS else ""
    return f"; needed by {', '.join(users[:_MOST_USERS])}{more}" if users else "; no suggested output needs it"


def _named(typed: TypedGraph, tensor: str, why: str) -> NamedTensor:
    found = typed.tensor(tensor)
    assert found is not None
    return NamedTensor(node_name(tensor), *found, why)
