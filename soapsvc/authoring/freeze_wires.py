"""The wiring of parts against what the parts really have: names found, dtypes and shapes compared, an order made."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import tensorflow as tf

from soapsvc.authoring.freeze_request import tensor_name
from soapsvc.authoring.freeze_result import Frozen, distinct
from soapsvc.authoring.source import SourceError
from soapsvc.authoring.wiring import Wiring
from soapsvc.model.signature import TensorSpec, show_shape

Parts = Mapping[str, Frozen]
Place = tuple[str, str]  # a part, and the name of its input or output


@dataclass(frozen=True)
class Wires:
    """A wiring that fits its parts.

    order: the parts, each after those that feed it.  inputs: the contract's name -> the parts' inputs it feeds, in
    that order.    wires: a part's input -> the output that feeds it.  outputs: the contract's name -> a part's output.
    """

    order: tuple[str, ...]
    inputs: Mapping[str, tuple[Place, ...]]
    wires: Mapping[Place, Place]
    outputs: Mapping[str, Place]


def fitted(wiring: Wiring, parts: Parts) -> Wires:
    """Return the wiring by the parts' own names.

    Raises SourceError: no such input or output, a circle, a dtype or shape that does not fit, an input that is fed
    twice or by nobody.
    """
    wires = {
        _input(parts, f"wires.{target}", target): _output(parts, f"wires.{target}", source)
        for target, source in wiring.wires.items()
    }
    if len(wires) != len(wiring.wires):
        raise SourceError("wires: one input is fed by two wires")
    order = _order(parts, wires)
    inputs = _inputs(wiring, parts, wires, order)
    outputs = _outputs(wiring, parts, wires, tuple(inputs))
    _check_named(inputs, outputs)
    _check_fed(parts, inputs, wires)
    for target, source in wires.items():
        _check_fits(f"wires.{_show(target)}", parts[source[0]].outputs[source[1]], parts[target[0]].inputs[target[1]])
    return Wires(order, inputs, wires, outputs)


def _inputs(
    wiring: Wiring, parts: Parts, wires: Mapping[Place, Place], order: Sequence[str]
) -> dict[str, tuple[Place, ...]]:
    if wiring.inputs is None:
        free = [(part, name) for part in parts for name in parts[part].inputs if (part, name) not in wires]
        return {name: (place,) for name, place in zip(_joined(free), free, strict=True)}
    inputs = {}
    for name, several in wiring.inputs.items():
        places = [_input(parts, f"inputs.{name}", each) for each in several]
        inputs[name] = tuple(sorted(places, key=lambda place: order.index(place[0])))
    return inputs


def _outputs(wiring: Wiring, parts: Parts, wires: Mapping[Place, Place], inputs: tuple[str, ...]) -> dict[str, Place]:
    if wiring.outputs is not None:
        return {name: _output(parts, f"outputs.{name}", each) for name, each in wiring.outputs.items()}
    taken = set(wires.values())
    ends = [(part, name) for part in parts for name in parts[part].outputs if (part, name) not in taken]
    return dict(zip(_joined(ends, inputs), ends, strict=True))


def _joined(places: list[Place], taken: tuple[str, ...] = ()) -> tuple[str, ...]:
    return distinct([f"{part}_{name}" for part, name in places], taken)


def _input(parts: Parts, key: str, reference: str) -> Place:
    return _found(parts, key, reference, "input")


def _output(parts: Parts, key: str, reference: str) -> Place:
    return _found(parts, key, reference, "output")


def _found(parts: Parts, key: str, reference: str, side: str) -> Place:
    """Return what `part.name` names; the name may also be that of the tensor in the part's own graph."""
    part, _, name = reference.partition(".")
    specs = parts[part].inputs if side == "input" else parts[part].outputs
    for each, spec in specs.items():
        if name == each or tensor_name(name) == spec.tensor:
            return part, each
    near = difflib.get_close_matches(name, specs, 3, 0.4) or list(specs)
    raise SourceError(f"{key}: the part {part} has no {side} {name}; there is {', '.join(near)}")


def _show(place: Place) -> str:
    return ".".join(place)


def _order(parts: Parts, wires: Mapping[Place, Place]) -> tuple[str, ...]:
    sorter = TopologicalSorter({part: set[str]() for part in parts})
    for target, source in wires.items():
        sorter.add(target[0], source[0])
    try:
        return tuple(sorter.static_order())
    except CycleError as err:
        raise SourceError(
            f"the wires go round in a circle: {' -> '.join(err.args[1])}; a part runs once, after those that feed it"
        ) from err


def _check_named(inputs: Mapping[str, tuple[Place, ...]], outputs: Mapping[str, Place]) -> None:
    if not inputs or not outputs:
        raise SourceError(f"the wiring leaves no {'outputs' if inputs else 'inputs'}; name at least one")
    both = inputs.keys() & outputs.keys()
    if both:
        raise SourceError(f"{min(both)} is an input and an output; give them different names")


def _check_fed(parts: Parts, inputs: Mapping[str, tuple[Place, ...]], wires: Mapping[Place, Place]) -> None:
    fed = [*wires, *(place for several in inputs.values() for place in several)]
    for place in fed:
        if fed.count(place) > 1:
            raise SourceError(f"{_show(place)} is fed twice; name it once, in `inputs` or in `wires`")
    for part, frozen in parts.items():
        for name, spec in frozen.inputs.items():
            if (part, name) not in fed and not spec.optional:
                raise SourceError(
                    f"nobody feeds {part}.{name} ({spec.dtype} {show_shape(spec.shape)}); name it in `inputs` or in "
                    f"`wires`, or fix its value in parts.{part}.constants"
                )
    for name, several in inputs.items():
        first = parts[several[0][0]].inputs[several[0][1]]
        for part, other in several[1:]:
            _check_fits(f"inputs.{name}: {_show(several[0])} and {part}.{other}", first, parts[part].inputs[other])


def _check_fits(key: str, source: TensorSpec, target: TensorSpec) -> None:
    if source.dtype != target.dtype:
        raise SourceError(f"{key}: {source.dtype} and {target.dtype} do not fit; freeze the part with a cast")
    if not tf.TensorShape(source.shape).is_compatible_with(target.shape):
        raise SourceError(f"{key}: the shapes {show_shape(source.shape)} and {show_shape(target.shape)} do not fit")
