"""The nodes that `--plot` draws: a graph's operations or a Keras model's layers, in one form for both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from soapsvc.authoring.graphs import TypedGraph, node_name
from soapsvc.authoring.inspect_checkpoint import role_of
from soapsvc.authoring.inspect_config import Layer, connected_layers, last_layers
from soapsvc.authoring.inspect_report import show_shape
from soapsvc.authoring.inspect_summary import Inspected, StoredTensor, Summary
from soapsvc.authoring.source import SourceError

Kind = Literal["input", "output", "constant", "function", "operation"]
_VARIABLES = ("VariableV2", "Variable", "VarHandleOp")
_STORED = ("Const", "ImmutableConst", *_VARIABLES)


@dataclass(frozen=True)
class Link:
    """What a node takes. source: a node's name. tensor: as `x:1`. shape: in the words of messages, or empty."""

    source: str
    tensor: str
    shape: str
    control: bool


@dataclass(frozen=True)
class Node:
    """An operation or a layer. shape: of its first output. parameters: how many it stores itself.

    functions: the names of the functions it calls. inner: the operations in those and in what they call, by type.
    """

    name: str
    type: str
    kind: Kind
    shape: str
    links: tuple[Link, ...]
    parameters: int = 0
    functions: tuple[str, ...] = ()
    inner: tuple[tuple[str, int], ...] = ()


def plotted_nodes(inspected: Inspected) -> list[Node]:
    """Return a source's nodes. Raises SourceError when it has neither a graph nor a Keras model's layers."""
    if inspected.graph_def is not None:
        return list(_operations(inspected.graph_def, inspected.summary))
    nodes = list(_layers(inspected.config, inspected.summary)) if inspected.config is not None else []
    if not nodes:
        what = inspected.summary.what
        raise SourceError(f"--plot: there is no graph in a {what}; with --tensors it draws the stored tensors")
    return nodes


def _operations(graph_def: Any, found: Summary) -> Iterator[Node]:
    typed = TypedGraph(graph_def)
    names = {node.name for node in graph_def.node}
    outgoing = {name: typed.outputs(name) for name in names}
    shapes = {tensor: show_shape(shape) for tensors in outgoing.values() for tensor, _, shape in tensors}
    inputs, outputs = ({node_name(each.tensor) for each in side} for side in (found.inputs, found.outputs))
    library = {each.signature.name: each.node_def for each in graph_def.library.function}
    constants = {} if found.variables else {each.name: each.elements for each in found.weights if _is_parameter(each)}
    for node in graph_def.node:
        functions = tuple(_functions(node))
        yield Node(
            node.name,
            node.op,
            _kind(node, inputs, outputs, functions),
            shapes.get(f"{node.name}:0", "") + _others(len(outgoing[node.name]) - 1),
            tuple(_links(node, names, shapes)),
            constants.get(node.name, 0) + (_variable_size(node) if found.variables else 0),
            functions,
            tuple(_operations_inside(functions, library).most_common()),
        )


def _operations_inside(functions: tuple[str, ...], library: Mapping[str, Any]) -> Counter[str]:
    """Count the operations of functions and of those they call, each function once."""
    waiting, seen = list(functions), set(functions)
    found = Counter[str]()
    while waiting:
        for node in library.get(waiting.pop(), ()):
            called = set(_functions(node)) - seen
            found[node.op] += 1
            seen |= called
            waiting += sorted(called)
    return found


def _others(number: int) -> str:
    return f" and {number} more outputs" if number > 1 else " and another output" if number == 1 else ""


def _kind(node: Any, inputs: set[str], outputs: set[str], functions: tuple[str, ...]) -> Kind:
    if node.name in inputs:
        return "input"
    if node.name in outputs:
        return "output"
    if node.op in _STORED:
        return "constant"
    return "function" if functions else "operation"


def _links(node: Any, names: set[str], shapes: dict[str, str]) -> Iterator[Link]:
    for edge in node.input:
        source = node_name(edge)
        tensor = edge if ":" in edge else f"{source}:0"
        if source in names:
            control = edge.startswith("^")
            yield Link(source, tensor, "" if control else shapes.get(tensor, ""), control)


def _functions(node: Any) -> Iterator[str]:
    for value in node.attr.values():
        for function in (value.func, *value.list.func):
            if function.name:
                yield function.name


def _is_parameter(tensor: StoredTensor) -> bool:
    return bool(tensor.shape) and "float" in tensor.dtype


def _variable_size(node: Any) -> int:
    if node.op not in _VARIABLES or role_of(node.name) != "weight":
        return 0
    shape = node.attr["shape"].shape
    sizes = [dim.size for dim in shape.dim]
    return 0 if shape.unknown_rank or any(size < 0 for size in sizes) else prod(sizes)


def _layers(config: Any, found: Summary) -> Iterator[Node]:
    layers = list(connected_layers(config))
    outputs = set(last_layers(config))
    shapes = {layer.name: show_shape(layer.shape) if layer.shape else "" for layer in layers}
    own_names = Counter(_own_name(layer) for layer in layers)
    sizes = Counter[str]()
    for tensor in found.weights:
        sizes[tensor.layer] += tensor.elements
    for layer in layers:
        own = _own_name(layer)
        kind: Kind = "output" if layer.name in outputs else "operation"
        yield Node(
            layer.name,
            layer.type,
            kind if layer.inputs else "input",
            shapes[layer.name],
            tuple(Link(name, name, shapes.get(name, ""), False) for name in layer.inputs),
            sizes[own] if own_names[own] == 1 else 0,  # the file says a weight's layer without the models it is in
        )


def _own_name(layer: Layer) -> str:
    return layer.name.rsplit("/", 1)[-1]
