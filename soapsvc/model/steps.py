"""The steps of a pipeline, ready to run: each checked what it gets against its types, and tells what it gives.

A list fans out: a step that takes one array and gets a list runs for each array in it, and gives lists. A model takes
the arrays of a list together, as far as they are of one size, and never more at once than its own limit. A model whose
inputs begin with `batch` also takes one instance as it is, and then gives one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

import numpy as np

from soapsvc.errors import LoadError, ServingError
from soapsvc.model.dtypes import NUMPY_DTYPE, Array
from soapsvc.model.servable import Need, Servable
from soapsvc.model.signature import BATCH, Limits, Signature, TensorSpec
from soapsvc.model.step_functions import Function
from soapsvc.model.value_types import Items, Misfit, Names, Value, ValueType, fits, type_of, type_of_spec

Types = Mapping[str, ValueType]


class StepFailed(RuntimeError):
    """A step of a pipeline raised, or gave what it does not declare; a defect of the pipeline, not of a call."""


@dataclass(frozen=True)
class FunctionStep:
    """Runs a function. inputs: what each of its inputs gets, by the names of values."""

    name: str
    inputs: Mapping[str, str]
    function: Function
    arguments: Mapping[str, Any]
    need: None = None

    def types(self, given: Types) -> dict[str, ValueType]:
        """Return the types of the outputs. given: types of the inputs. Raises LoadError."""
        _check_names(given, self.function.inputs, ())
        fans_out = self._fans_out(given)
        names: Names = self._names()
        for name, wanted in self.function.inputs.items():
            try:
                wanted.match(given[name].one if name in fans_out else given[name], names)
            except Misfit as err:
                raise LoadError(f"inputs.{name}: {err}") from err
        outputs = {name: output.resolve(names) for name, output in self.function.outputs.items()}
        if not fans_out:
            return outputs
        if any(output.many for output in outputs.values()):
            raise LoadError(f"{self.function.name} gives a list; it can't run for each array of another list")
        return {name: replace(output, many=True) for name, output in outputs.items()}

    def run(self, given: Mapping[str, Value], servable: Servable | None) -> dict[str, Value]:
        """Return the outputs. servable: none. Raises StepFailed, ServingError."""
        fans_out = self._fans_out({name: type_of(value) for name, value in given.items()})
        if not fans_out:
            return self._once(given)
        lists = [value for name, value in given.items() if name in fans_out and isinstance(value, Items)]
        rows = [
            self._once({name: _at(place, value) if name in fans_out else value for name, value in given.items()})
            for place in range(_length(self.name, lists))
        ]
        types = self.types({name: type_of(value) for name, value in given.items()})
        return {name: Items(kind.one, [_array(row[name]) for row in rows]) for name, kind in types.items()}

    def _once(self, given: Mapping[str, Value]) -> dict[str, Value]:
        names: Names = self._names()
        try:
            for name, wanted in self.function.inputs.items():
                wanted.match(type_of(given[name]), names)
        except Misfit as err:
            raise StepFailed(f"step {self.name}: its input {name}: {err}") from err
        try:
            answer = self.function.run(*(given[name] for name in self.function.inputs), **self.arguments)
        except ServingError:
            raise
        except Exception as err:
            raise StepFailed(f"step {self.name}: {self.function.name} raises {err.__class__.__name__}: {err}") from err
        values = answer if isinstance(answer, tuple) else (answer,)
        if len(values) != len(self.function.outputs):
            raise StepFailed(f"step {self.name}: expected {len(self.function.outputs)} outputs, received {len(values)}")
        pairs = zip(self.function.outputs.items(), values, strict=True)
        return {name: self._checked(name, value, names) for (name, _), value in pairs}

    def _checked(self, name: str, value: Any, names: Names) -> Value:
        wanted = self.function.outputs[name]
        try:
            if wanted.many:
                arrays = [np.asarray(each) for each in value]
                for array in arrays:
                    replace(wanted, many=False).match(type_of(array), dict(names))
                return Items(wanted.resolve(names).one, arrays)
            array = np.asarray(value)
            wanted.match(type_of(array), names)
        except (Misfit, TypeError) as err:
            raise StepFailed(f"step {self.name}: its output {name}: {err}") from err
        return array

    def _names(self) -> Names:
        return {name: value for name, value in self.arguments.items() if type(value) is int}

    def _fans_out(self, given: Types) -> frozenset[str]:
        inputs = self.function.inputs
        return frozenset(name for name, kind in given.items() if kind.many and not inputs[name].many)


class _Way(Enum):
    """How values go into a model: as its tensors, as one instance, or as a list of instances."""

    WHOLE = auto()
    ONE = auto()
    EACH = auto()


@dataclass(frozen=True)
class ModelStep:
    """Runs a signature of a model.

    inputs: what each of its inputs gets, by the names of values.  signature: as it was when the pipeline was loaded;
    later versions must keep it.
    """

    name: str
    inputs: Mapping[str, str]
    need: Need
    signature_name: str | None
    signature: Signature

    def types(self, given: Types) -> dict[str, ValueType]:
        """Return the types of the outputs. given: types of the inputs. Raises LoadError."""
        optional = [name for name, spec in self.signature.inputs.items() if spec.optional]
        _check_names(given, self.signature.inputs, optional)
        way = self._way(given)
        for name, kind in given.items():
            wanted = self._type(self.signature.inputs[name], way)
            if not fits(wanted, kind):
                raise LoadError(f"inputs.{name}: expected {wanted}, received {kind}")
        return {name: self._type(spec, way) for name, spec in self.signature.outputs.items()}

    def _type(self, spec: TensorSpec, way: _Way) -> ValueType:
        shape = spec.shape if way is _Way.WHOLE or not self.signature.batched else spec.instance_shape
        return replace(type_of_spec(spec, shape), many=way is _Way.EACH)

    def _way(self, given: Types) -> _Way:
        if any(kind.many for kind in given.values()):
            return _Way.EACH
        ranks = [(kind.shape, self.signature.inputs[name].shape) for name, kind in given.items()]
        one = self.signature.batched and all(
            came is not None and wanted is not None and len(came) == len(wanted) - 1 for came, wanted in ranks
        )
        return _Way.ONE if one else _Way.WHOLE

    def misfit(self, servable: Servable) -> str:
        """Return why another version can't take the place of the one at load, "" when it can."""
        found = servable.signatures.get(self.signature_name or servable.signature)
        where = f"step {self.name}: {servable.name} version {servable.version}"
        if found is None:
            return f"{where} has no signature {self.signature_name}"
        for side, was, now in (
            ("input", self.signature.inputs, found.inputs),
            ("output", self.signature.outputs, found.outputs),
        ):
            for name, spec in was.items():
                used = side == "output" or name in self.inputs
                if used and (name not in now or not _alike(spec, now[name])):
                    came = "is missing" if name not in now else f"is {type_of_spec(now[name], now[name].shape)}"
                    return f"{where}: {side} {name} was {type_of_spec(spec, spec.shape)}, {came}"
            new = [name for name, spec in now.items() if side == "input" and name not in was and not spec.optional]
            if new:
                return f"{where}: input {new[0]} is new"
        return ""

    def run(self, given: Mapping[str, Value], servable: Servable | None) -> dict[str, Value]:
        """Return the outputs. servable: of the need. Raises ServingError, or what its graph raises."""
        assert servable is not None
        way = self._way({name: type_of(value) for name, value in given.items()})
        signature = servable.find_signature(self.signature_name)
        arrays = {name: value for name, value in given.items() if not isinstance(value, Items)}
        if way is _Way.WHOLE:
            return {**_run(servable, signature, arrays)}
        if way is _Way.ONE:
            lifted = {name: value[np.newaxis] for name, value in arrays.items()}
            return {name: value[0] for name, value in _run(servable, signature, lifted).items()}
        lists = {name: value for name, value in given.items() if isinstance(value, Items)}
        return self._each(servable, signature, lists, arrays)

    def _each(
        self, servable: Servable, signature: Signature, lists: Mapping[str, Items], arrays: Mapping[str, Array]
    ) -> dict[str, Value]:
        """Run the instances of a list, those of one size together."""
        count = _length(self.name, list(lists.values()))
        groups: dict[Any, list[int]] = {}
        for place in range(count):
            alike = tuple(items.arrays[place].shape for items in lists.values()) if signature.batched else place
            groups.setdefault(alike, []).append(place)
        answers: list[dict[str, Array]] = [{} for _ in range(count)]
        for places in groups.values():
            if not signature.batched:
                one = {name: items.arrays[places[0]] for name, items in lists.items()}
                answers[places[0]] = _run(servable, signature, one | dict(arrays))
                continue
            stacked = {name: np.stack([items.arrays[place] for place in places]) for name, items in lists.items()}
            outputs = _run(servable, signature, stacked | dict(arrays))
            for row, place in enumerate(places):
                answers[place] = {name: value[row] for name, value in outputs.items()}
        return {
            name: Items(self._type(spec, _Way.EACH).one, [answer[name] for answer in answers])
            for name, spec in signature.outputs.items()
        }


Step = FunctionStep | ModelStep


def _at(place: int, value: Value) -> Array:
    assert isinstance(value, Items)
    return value.arrays[place]


def _array(value: Value) -> Array:
    assert not isinstance(value, Items), "checked at load"
    return value


def _alike(was: TensorSpec, now: TensorSpec) -> bool:
    return (was.batched, type_of_spec(was, was.shape)) == (now.batched, type_of_spec(now, now.shape))


def _run(servable: Servable, signature: Signature, feeds: Mapping[str, Array]) -> dict[str, Array]:
    """Run a model, with as many instances at once as it takes; with none it is not run."""
    if not signature.batched:
        signature.check_inputs(feeds, servable.limits)
        return servable.run(signature, feeds)
    rows = len(next(iter(feeds.values())))
    if not rows:
        return {name: _no_rows(spec) for name, spec in signature.outputs.items()}
    most = _most_rows(servable.limits, max(value.size // rows for value in feeds.values()))
    parts = []
    for start in range(0, rows, most):
        part = {name: value[start : start + most] for name, value in feeds.items()} if rows > most else feeds
        signature.check_inputs(part, servable.limits)
        parts.append(servable.run(signature, part))
    return parts[0] if len(parts) == 1 else {name: np.concatenate([each[name] for each in parts]) for name in parts[0]}


def _most_rows(limits: Limits, elements: int) -> int:
    """Return how many instances of so many values a model takes at once; one at least, which its check may refuse."""
    most = limits.of_dim(BATCH) or limits.max_batch
    return max(1, min(most, limits.max_elements // max(1, elements)))


def _no_rows(spec: TensorSpec) -> Array:
    sizes = (dim if isinstance(dim, int) else 0 for dim in spec.instance_shape or ())
    return np.zeros((0, *sizes), NUMPY_DTYPE[spec.dtype])


def _length(step: str, lists: Sequence[Items]) -> int:
    lengths = {len(items.arrays) for items in lists}
    if len(lengths) != 1:
        raise StepFailed(f"step {step}: its lists have {' and '.join(map(str, sorted(lengths)))} arrays, not as many")
    return lengths.pop()


def _check_names(given: Types, wanted: Mapping[str, Any], optional: Sequence[str]) -> None:
    for name in given.keys() - wanted.keys():
        raise LoadError(f"inputs.{name}: there is no such input; there are {', '.join(wanted)}")
    for name in wanted:
        if name not in given and name not in optional:
            raise LoadError(f"inputs.{name}: nothing is bound to it")
