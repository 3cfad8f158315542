"""Which tensors of a graph a freeze takes: those that were asked for, else those that `inspect` suggests too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from soapsvc.authoring.freeze_request import Request, node_name, tensor_name
from soapsvc.authoring.freeze_result import contract_names
from soapsvc.authoring.graphs import TypedGraph
from soapsvc.authoring.inspect_suggest import needed_inputs, suggest
from soapsvc.authoring.inspect_summary import NamedTensor
from soapsvc.authoring.source import SourceError

_MOST_ENDS = 8  # named in a message


@dataclass(frozen=True)
class Choice:
    """The tensors between which a graph is frozen.

    inputs, outputs: the contract's name -> the graph's tensor.  constants: tensor -> what is always fed.
    suggestions: what was chosen in the user's place, a line each with its reason.
    """

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    constants: Mapping[str, Any]
    suggestions: tuple[str, ...] = ()


def choose(graph: Any, request: Request, one_end: bool = False) -> Choice:
    """Return what the request names in a tf.Graph, and what it leaves open as suggested.

    one_end: refuse to suggest several outputs, as a training graph has ends that no client wants.
    Raises SourceError: no such tensor, nothing to suggest, too much to suggest.
    """
    constants = {tensor_name(name): value for name, value in request.constants.items()}
    outputs = [tensor_name(name) for name in request.outputs]
    if request.collection:
        outputs += _collected(graph, request.collection)
    inputs = [tensor_name(name) for name in request.inputs]
    check_tensors(graph, [*inputs, *outputs, *constants])
    if inputs and outputs:
        return Choice(*_named(request, inputs, outputs), constants)
    suggested: list[str] = []
    graph_def = graph.as_graph_def()
    typed = TypedGraph(graph_def)
    if not outputs:
        found = _suggested_outputs(graph_def, typed, _collections(graph), request.scope, one_end)
        outputs = [each.tensor for each in found]
        suggested += _lines("output", found)
    if not inputs:
        needed = needed_inputs(graph_def, typed, outputs)
        open_inputs = [each for each in needed if each.tensor not in constants]
        inputs = [each.tensor for each in open_inputs]
        suggested += _lines("input", open_inputs)
    return Choice(*_named(request, inputs, outputs), constants, tuple(suggested))


def check_tensors(graph: Any, tensors: Iterable[str]) -> None:
    """Raise SourceError at a tensor that a tf.Graph does not have, naming some that are spelt alike."""
    for tensor in tensors:
        try:
            graph.get_tensor_by_name(tensor)
        except (KeyError, ValueError) as err:
            leaf = node_name(tensor).rsplit("/", 1)[-1].lower()
            names = [op.name for op in graph.get_operations() if op.outputs and op.type != "Const"]
            alike = [name for name in names if leaf in name.lower()][:8] or names[-8:]
            raise SourceError(f"the graph has no tensor {tensor}; there are {', '.join(alike)}") from err


def _collections(graph: Any) -> dict[str, list[str]]:
    """Return key -> the names of the tensors that the graph lists under it."""
    keys = [key for key in graph.get_all_collection_keys() if isinstance(key, str)]
    return {key: [each.name for each in graph.get_collection(key) if isinstance(each, tf.Tensor)] for key in keys}


def _collected(graph: Any, key: str) -> list[str]:
    collections = _collections(graph)
    if not collections.get(key):
        raise SourceError(
            f"--collection {key}: no tensors; the graph has the collections {', '.join(collections) or 'none'}"
        )
    return collections[key]


def _suggested_outputs(
    graph_def: Any, typed: TypedGraph, collections: Mapping[str, list[str]], scope: str, one_end: bool
) -> Sequence[NamedTensor]:
    """Return the likely outputs; of a graph that bears a part's scope, those in the scope."""
    _, found = suggest(graph_def, typed, collections)
    found = tuple(each for each in found if scope and each.tensor.startswith(f"{scope}/")) or found
    if not found:
        raise SourceError("no output can be suggested: nothing that depends on a placeholder ends; give --outputs")
    if one_end and len(found) > 1:
        ends = "; ".join(f"{each.tensor} ({each.why})" for each in found[:_MOST_ENDS])
        ends += f"; and {len(found) - _MOST_ENDS} more" if len(found) > _MOST_ENDS else ""
        raise SourceError(f"the graph has several ends: {ends}. Choose with --outputs or --collection")
    return found


def _lines(side: str, found: Iterable[NamedTensor]) -> list[str]:
    return [f"suggested {side} {each.tensor}: {each.why}" for each in found]


def _named(request: Request, inputs: list[str], outputs: list[str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return inputs and outputs by the contract's names."""
    if not inputs:
        raise SourceError("the outputs depend on no placeholder; name the tensors that calls feed with --inputs")
    ins, outs = contract_names(request, _leaves(inputs), _leaves(outputs))
    return dict(zip(ins, inputs, strict=True)), dict(zip(outs, outputs, strict=True))


def _leaves(tensors: list[str]) -> list[str]:
    """Return the last parts of tensors' names, the whole names where two would be alike."""
    leaves = [node_name(tensor).rsplit("/", 1)[-1] for tensor in tensors]
    return [
        leaf if leaves.count(leaf) == 1 else node_name(tensor) for leaf, tensor in zip(leaves, tensors, strict=True)
    ]
