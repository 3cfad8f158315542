"""Several frozen parts become one: each under its scope, outputs led into inputs as the wiring says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import tensorflow as tf

from soapsvc.authoring.freeze import prune
from soapsvc.authoring.freeze_request import node_name
from soapsvc.authoring.freeze_result import Arrays, Frozen
from soapsvc.authoring.freeze_scope import under_scope
from soapsvc.authoring.freeze_wires import Parts, Place, Wires, fitted
from soapsvc.authoring.source import SourceError
from soapsvc.authoring.wiring import Wiring
from soapsvc.model.dtypes import Array
from soapsvc.model.signature import Dim, TensorSpec


def join_parts(parts: Parts, wiring: Wiring) -> Frozen:
    """Return parts, by their scopes, as one frozen graph. Raises SourceError where the wiring does not fit them."""
    wires = fitted(wiring, parts)
    joined = _join(parts, wires)
    outputs = {
        name: replace(parts[part].outputs[each], name=name, tensor=joined.results[part, each])
        for name, (part, each) in wires.outputs.items()
    }
    ends = {node_name(spec.tensor) for spec in outputs.values()}
    kept = {node.name for node in prune(joined.graph_def, ends).node}
    tables = {node.name: node_name(node.input[0]) for node in joined.graph_def.node if node.name in joined.init_ops}
    init_ops = tuple(name for name in joined.init_ops if tables[name] in kept)
    inputs = {name: _shared(name, places, parts, joined) for name, places in wires.inputs.items()}
    _check_needed(parts, inputs, kept)
    return Frozen(
        prune(joined.graph_def, ends | set(init_ops)),
        inputs,
        outputs,
        _one_after_the_other(parts, wires),
        nodes=sum(part.nodes for part in parts.values()),
        bytes=sum(part.bytes for part in parts.values()),
        constants={tensor: value for tensor, value in joined.constants.items() if node_name(tensor) in kept},
        init_ops=init_ops,
        notes=tuple(f"{name}: {note}" for name, part in parts.items() for note in part.notes),
        suggestions=tuple(f"{name}: {line}" for name, part in parts.items() for line in part.suggestions),
    )


@dataclass(frozen=True)
class _Joined:
    """All parts in one graph. fed: a part's input -> the tensor that feeds it; results: an output -> its tensor."""

    graph_def: Any
    fed: Mapping[Place, str]
    results: Mapping[Place, str]
    constants: Mapping[str, Any]
    init_ops: tuple[str, ...]


def _join(parts: Parts, wires: Wires) -> _Joined:
    shared = {place: places[0] for places in wires.inputs.values() for place in places[1:]}
    fed: dict[Place, str] = {}
    results: dict[Place, str] = {}
    constants: dict[str, Any] = {}
    init_ops: list[str] = []
    with tf.Graph().as_default() as graph:
        for name in wires.order:
            part = parts[name]
            graph_def, renamed = under_scope(part.graph_def, name)
            led: dict[str, str] = {}  # the part's own tensor -> the one that takes its place
            for each, spec in part.inputs.items():
                place, own = (name, each), renamed(spec.tensor)
                if place in wires.wires:
                    led[own] = results[wires.wires[place]]
                elif place in shared:
                    led[own] = fed[shared[place]]
                fed[place] = led.get(own, own)
            tf.graph_util.import_graph_def(graph_def, input_map=_with_controls(graph, led), name="")
            own_results = {each: renamed(spec.tensor) for each, spec in part.outputs.items()}
            results |= {(name, each): led.get(tensor, tensor) for each, tensor in own_results.items()}
            constants |= {renamed(tensor): value for tensor, value in part.constants.items()}
            init_ops += map(renamed, part.init_ops)
    return _Joined(graph.as_graph_def(), fed, results, constants, tuple(init_ops))


def _with_controls(graph: Any, led: Mapping[str, str]) -> dict[str, Any]:
    """Return an input_map that also leads the control edges of what is replaced."""
    tensors = {own: graph.get_tensor_by_name(source) for own, source in led.items()}
    return tensors | {f"^{node_name(own)}": tensor for own, tensor in tensors.items()}


def _shared(name: str, places: tuple[Place, ...], parts: Parts, joined: _Joined) -> TensorSpec:
    """Return the contract's input that feeds some inputs of parts; with several, none of their defaults holds."""
    specs = [parts[part].inputs[each] for part, each in places]
    shape = reduce(lambda known, spec: known.merge_with(spec.shape), specs, tf.TensorShape(None))
    dims: tuple[Dim, ...] | None = None if shape.rank is None else tuple(shape.as_list())
    return TensorSpec(name, joined.fed[places[0]], specs[0].dtype, dims, len(specs) == 1 and specs[0].optional)


def _check_needed(parts: Parts, inputs: Mapping[str, TensorSpec], kept: set[str]) -> None:
    for part in parts:
        if not any(name.startswith(f"{part}/") for name in kept):
            raise SourceError(f"no output needs the part {part}; wire it, or leave it out")
    for name, spec in inputs.items():
        if node_name(spec.tensor) not in kept:
            raise SourceError(f"no output depends on the input {name}; choose its part's outputs without it")


def _one_after_the_other(parts: Parts, wires: Wires) -> Callable[[Arrays], dict[str, Array]]:
    """Return the original: every part as it came, run in the order of the wires."""

    def original(arrays: Arrays) -> dict[str, Array]:
        given = {place: arrays[name] for name, places in wires.inputs.items() if name in arrays for place in places}
        results: dict[Place, Array] = {}
        for part in wires.order:
            led = {place: results[source] for place, source in wires.wires.items() if place[0] == part}
            fed = {each: array for (owner, each), array in (given | led).items() if owner == part}
            results |= {(part, each): array for each, array in parts[part].original(fed).items()}
        return {name: results[place] for name, place in wires.outputs.items()}

    return original
