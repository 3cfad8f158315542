"""A pipeline: steps wired by name, which run in the place of a graph.

`plan` checks the wiring once, at load: every name bound, types that fit, no circle. A `Pipeline` is what a servable
holds; for each call the manager pins the versions of the models that it needs, and the `Pinned` one runs. Steps that
don't wait for each other run side by side.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from soapsvc.errors import LoadError
from soapsvc.model.dtypes import Array
from soapsvc.model.servable import Given, Need, Servable
from soapsvc.model.signature import Signature
from soapsvc.model.steps import ModelStep, Step
from soapsvc.model.value_types import Items, Value, fits, type_of_spec

_MOST_THREADS = 32  # of one pipeline's steps that run beside others


@dataclass(frozen=True)
class Plan:
    """Steps in an order in which they can run. before: of each step, those that it waits for."""

    steps: Mapping[str, Step]
    before: Mapping[str, frozenset[str]]
    in_turn: bool  # whether there is never more than one that can run


def plan(steps: Sequence[Step], signatures: Mapping[str, Signature]) -> Plan:
    """Return the plan of steps that answer these signatures. Raises LoadError naming the key that is wrong."""
    by_name = {step.name: step for step in steps}
    inputs = {spec.tensor for signature in signatures.values() for spec in signature.inputs.values()}
    before = {step.name: _before(step, by_name, inputs) for step in steps}
    try:
        order = list(TopologicalSorter(before).static_order())
    except CycleError as err:
        raise LoadError(f"steps: a circle: {' waits for '.join(reversed(err.args[1]))}") from err
    for name, signature in signatures.items():
        _check_types(name, signature, [by_name[step] for step in order])
    return Plan({name: by_name[name] for name in order}, before, _in_turn(before))


def _before(step: Step, steps: Mapping[str, Step], inputs: set[str]) -> frozenset[str]:
    """Return the steps that one takes values of. Raises LoadError at a value that is none."""
    found = set()
    for name, value in step.inputs.items():
        maker, dot, _ = value.partition(".")
        if dot and maker in steps:
            found.add(maker)
        elif value not in inputs:
            known = ", ".join([*sorted(inputs), *(f"{each}.…" for each in steps if each != step.name)])
            raise LoadError(f"steps.{step.name}.inputs.{name}: there is no value {value}; there are {known}")
    return frozenset(found)


def _check_types(name: str, signature: Signature, steps: Sequence[Step]) -> None:
    """Raise LoadError unless each step can take what it gets where a call gives what the signature says."""
    known = {spec.tensor: type_of_spec(spec, spec.shape) for spec in signature.inputs.values()}
    for step in steps:
        for input_, value in step.inputs.items():
            if value not in known:
                raise LoadError(f"steps.{step.name}.inputs.{input_}: there is no value {value} in signature {name}")
        try:
            given = {input_: known[value] for input_, value in step.inputs.items()}
            known |= {f"{step.name}.{output}": kind for output, kind in step.types(given).items()}
        except LoadError as err:
            raise LoadError(f"steps.{step.name}.{err}") from err
    for output, spec in signature.outputs.items():
        where, wanted = f"signatures.{name}.outputs.{output}", type_of_spec(spec, spec.shape)
        if spec.tensor not in known:
            raise LoadError(f"{where}.tensor: there is no value {spec.tensor}; there are {', '.join(known)}")
        if not fits(wanted, known[spec.tensor]):
            raise LoadError(f"{where}: expected {wanted}, but {spec.tensor} is {known[spec.tensor]}")


def _in_turn(before: Mapping[str, frozenset[str]]) -> bool:
    sorter = TopologicalSorter(before)
    sorter.prepare()
    while sorter:
        ready = sorter.get_ready()
        if len(ready) > 1:
            return False
        sorter.done(*ready)
    return True


class Pipeline:
    """What a servable of a pipeline holds in the place of a graph. Safe to use from many threads."""

    def __init__(self, name: str, planned: Plan) -> None:
        self.name, self.plan = name, planned
        self.needs = tuple(dict.fromkeys(step.need for step in planned.steps.values() if step.need is not None))
        self._fitting: dict[Need, Servable] = {}  # what was found to fit last
        self.pool = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix=f"steps of {name}")

    @property
    def models(self) -> str:
        """The names of the models that it runs, for an operator."""
        return ", ".join(dict.fromkeys(need.model for need in self.needs)) or "functions"

    def misfit(self, given: Given) -> str:
        """Return why models can't be run by the steps that need them, "" when all can."""
        for need, servable in given.items():
            if self._fitting.get(need) is servable:
                continue
            for step in self.plan.steps.values():
                if isinstance(step, ModelStep) and step.need == need and (reason := step.misfit(servable)):
                    return reason
            self._fitting[need] = servable
        return ""

    def pinned(self, given: Given) -> Pinned:
        """Return what runs one call, with these models."""
        return Pinned(self, given)

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        """Never: a call runs what is pinned for it."""
        raise RuntimeError(f"{self.name} is a pipeline, whose models were not pinned")

    def close(self) -> None:
        """Free its threads."""
        self._fitting.clear()
        self.pool.shutdown(wait=False)


@dataclass(frozen=True)
class Pinned:
    """A pipeline for one call, with the versions of its models.

    times: of each step when it first began, on time.monotonic, and the seconds of all its runs together.
    """

    pipeline: Pipeline
    models: Given
    times: dict[str, tuple[float, float]] = field(default_factory=dict)
    at_close: Callable[[], object] = lambda: None

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        """Return the fetched values. feeds: the signature's inputs. Raises StepFailed, ServingError."""
        values: dict[str, Value] = dict(feeds)
        if self.pipeline.plan.in_turn:
            for step in self.pipeline.plan.steps.values():
                values |= self._run(step, values)
        else:
            self._run_side_by_side(values)
        fetched = []
        for name in fetches:
            value = values[name]
            assert not isinstance(value, Items), "checked at load"
            fetched.append(value)
        return fetched

    def _run_side_by_side(self, values: dict[str, Value]) -> None:
        """Run all steps: in this thread one of those that can run, the others beside it."""
        planned, sorter = self.pipeline.plan, TopologicalSorter(self.pipeline.plan.before)
        sorter.prepare()
        beside: dict[Future[dict[str, Value]], str] = {}
        try:
            while sorter:
                for name in (ready := sorter.get_ready())[1:]:
                    beside[self.pipeline.pool.submit(self._run, planned.steps[name], dict(values))] = name
                for name in ready[:1]:
                    values |= self._run(planned.steps[name], values)
                    sorter.done(name)
                ended = wait(beside, 0 if ready else None, FIRST_COMPLETED).done if beside else ()
                for future in ended:
                    values |= future.result()
                    sorter.done(beside.pop(future))
        finally:
            wait(beside)  # the models are pinned no longer than this call

    def _run(self, step: Step, values: Mapping[str, Value]) -> dict[str, Value]:
        began = time.monotonic()
        try:
            given = {name: values[value] for name, value in step.inputs.items()}
            outputs = step.run(given, self.models[step.need] if step.need is not None else None)
        finally:
            first, seconds = self.times.get(step.name, (began, 0.0))
            self.times[step.name] = first, seconds + time.monotonic() - began
        return {f"{step.name}.{name}": value for name, value in outputs.items()}

    def close(self) -> None:
        """Free what was made for this one alone."""
        self.at_close()
