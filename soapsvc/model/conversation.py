"""Conversations: what a model's sessions keep between two calls, and how it gets in and out of the graph.

Worked out from the manifest's key `session`. Knows nothing of where a session is kept, and nothing of its id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from soapsvc.errors import LoadError
from soapsvc.model.contract import Contract
from soapsvc.model.dtypes import NUMPY_DTYPE, Array, array_of
from soapsvc.model.functions import FunctionName, fill
from soapsvc.model.manifest import Manifest
from soapsvc.model.session_keys import SessionEntry, StateEntry
from soapsvc.model.signature import Dim, Signature, TensorSpec, show_shape

_OWN_ELEMENTS = ("sessionId", "sessionState")


@dataclass(frozen=True)
class Memory:
    """What one session holds. state: input name -> one instance's array; turns: (question, sentence), oldest first."""

    state: Mapping[str, Array] = field(default_factory=dict)
    turns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class State:
    """One input that is fed what an output gave in the call before. initial: one instance's array."""

    spec: TensorSpec
    output: str
    initial: Array


@dataclass(frozen=True)
class Conversation:
    """How the sessions of one version work.

    turns: the input that takes the last turns, string [last, 2].
    question, sentence: places of the first text among the contract's inputs and outputs, None without one.
    """

    states: tuple[State, ...]
    batched: bool
    turns: TensorSpec | None = None
    last: int = 0
    functions: tuple[FunctionName, ...] = ()
    question: int | None = None
    sentence: int | None = None

    @property
    def start(self) -> Memory:
        """What a new session holds."""
        return Memory({state.spec.name: state.initial for state in self.states})

    def takes(self, memory: Memory) -> bool:
        """Whether this version can go on with what another left: the same states, of dtypes and shapes that fit."""
        kept = memory.state
        return kept.keys() == {state.spec.name for state in self.states} and all(
            _fits(state.spec, kept[state.spec.name]) for state in self.states
        )

    def feeds(self, memory: Memory, count: int = 1) -> dict[str, Array]:
        """Return what the graph is fed of a session, the same for each of `count` instances."""
        feeds = dict(memory.state)
        if self.turns is not None:
            texts = np.full((self.last, 2), b"", dtype=object)
            recent = memory.turns[-self.last :]
            for row, turn in enumerate(recent, start=self.last - len(recent)):
                texts[row] = [text.encode() for text in turn]
            feeds[self.turns.name] = texts
        if not self.batched:
            return feeds
        return {name: np.repeat(value[np.newaxis], count, axis=0) for name, value in feeds.items()}

    def after(self, memory: Memory, outputs: Mapping[str, Array], row: Sequence[Any], answer: Sequence[Any]) -> Memory:
        """Return what a session holds after a call. Raises RuntimeError where the graph gave what it can't be fed.

        outputs: the graph's.  row, answer: of the contract, as `Binding` has them.
        """
        state = {}
        for each in self.states:
            value = outputs[each.output][0] if self.batched else outputs[each.output]
            state[each.spec.name] = value = np.asarray(value, dtype=NUMPY_DTYPE[each.spec.dtype])
            if not _fits(each.spec, value):
                raise RuntimeError(f"the graph gave {each.output} the shape {value.shape}, which it can't be fed again")
        turns = memory.turns
        if self.turns is not None:
            turns = (*turns, self._turn(row, answer))[-self.last :]
        return Memory(state, turns)

    def filled(self, row: Sequence[Any], answer: tuple[Any, ...], now: datetime) -> tuple[Any, ...]:
        """Return an answer whose sentence has the results of functions in its slots."""
        if not self.functions:
            return answer
        question, sentence = self._turn(row, answer)
        sentence = fill(sentence, question, self.functions, now)
        return tuple([sentence if place == self.sentence else value for place, value in enumerate(answer)])

    def _turn(self, row: Sequence[Any], answer: Sequence[Any]) -> tuple[str, str]:
        assert self.question is not None
        assert self.sentence is not None
        return row[self.question] or "", answer[self.sentence]  # the question may be optional


def told(signature: Signature, manifest: Manifest) -> Signature:
    """Return of a signature what clients are told: all but what a session feeds and keeps. Raises LoadError."""
    session, contract = manifest.session, manifest.contract
    if session is None:
        return signature
    for side, names, specs, entries in (
        ("inputs", session.inputs, signature.inputs, contract.inputs.keys()),
        ("outputs", session.outputs, signature.outputs, contract.outputs.keys()),
    ):
        for name in names & entries:
            raise LoadError(f"contract.{side}.{name}: belongs to the session, no client sees it; leave it out")
        for name in names - specs.keys():
            raise LoadError(f"session: the signature has no {side[:-1]} {name}; its {side} are {', '.join(specs)}")
        if not specs.keys() - names:
            raise LoadError(f"session: takes all {side} of the signature; leave at least one to the client")
    return replace(
        signature,
        inputs={name: spec for name, spec in signature.inputs.items() if name not in session.inputs},
        outputs={name: spec for name, spec in signature.outputs.items() if name not in session.outputs},
    )


def conversation_of(session: SessionEntry, signature: Signature, contract: Contract) -> Conversation:
    """Return how a manifest's sessions work. Raises LoadError naming the key that makes no sense."""
    for element in _OWN_ELEMENTS:
        if element in [*(each.element for each in contract.inputs), *(each.element for each in contract.outputs)]:
            raise LoadError(f"session: {element} is the session's own element; give the tensor another `element`")
    states = tuple(_state(name, entry, signature) for name, entry in session.state.items())
    question = _first_text(contract.inputs)
    sentence = _first_text(contract.outputs)
    if (session.turns is not None or session.functions) and (question is None or sentence is None):
        raise LoadError("session: turns and functions need a text among the contract's inputs, and among its outputs")
    turns = last = None
    if session.turns is not None:
        turns, last = signature.inputs[session.turns.input], session.turns.last
        _check_turns(turns, last)
    return Conversation(states, signature.batched, turns, last or 0, session.functions, question, sentence)


def _first_text(fields: Sequence[Any]) -> int | None:
    return next((place for place, each in enumerate(fields) if each.kind == "text"), None)


def _state(name: str, entry: StateEntry, signature: Signature) -> State:
    where, spec, output = f"session.state.{name}", signature.inputs[name], signature.outputs[entry.output]
    if spec.dtype != output.dtype or spec.shape != output.shape:
        raise LoadError(
            f"{where}.output: {entry.output} is {output.dtype} {show_shape(output.shape)}, but {name} is {spec.dtype} "
            f"{show_shape(spec.shape)}; what a call gives must be what the next one takes"
        )
    if spec.instance_shape is None or spec.batched != signature.batched:
        begin = "begins with batch, as the others do" if signature.batched else "is written"
        raise LoadError(f"{where}: {name} has shape {show_shape(spec.shape)}; expected one that {begin}")
    return State(spec, entry.output, _initial(where, spec, entry.initial))


def _initial(where: str, spec: TensorSpec, given: Any) -> Array:
    """Return an initial value in full: a single one stands for a tensor of any fixed shape."""
    shape = spec.instance_shape or ()
    try:
        value = array_of(given, NUMPY_DTYPE[spec.dtype])
    except (TypeError, ValueError, OverflowError):
        raise LoadError(f"{where}.initial: expected {spec.dtype}, received {given!r:.80}") from None
    if spec.dtype == "string":
        encoded = np.empty(value.shape, dtype=object)
        encoded.ravel()[:] = [str(text).encode() for text in value.ravel()]
        value = encoded
    if value.ndim == 0:
        value = np.full([dim for dim in shape if isinstance(dim, int)], value.item(), dtype=value.dtype)
    if not _fits(spec, value):
        raise LoadError(f"{where}.initial: has shape {show_shape(value.shape)}, but {spec.name} {show_shape(shape)}")
    return value


def _check_turns(spec: TensorSpec, last: int) -> None:
    wanted: tuple[Dim, ...] = (last, 2)
    if spec.dtype != "string" or spec.instance_shape not in (wanted, (None, 2)):
        raise LoadError(
            f"session.turns.input: {spec.name} is {spec.dtype} {show_shape(spec.instance_shape)} without its batch "
            f"dimension; expected string {show_shape(wanted)}: question and sentence of each of the last turns"
        )


def _fits(spec: TensorSpec, value: Array) -> bool:
    """Whether one instance's array is of a spec's dtype and shape."""
    shape = spec.instance_shape or ()
    return (
        value.dtype == NUMPY_DTYPE[spec.dtype]
        and value.ndim == len(shape)
        and all(not isinstance(dim, int) or dim == size for dim, size in zip(shape, value.shape, strict=True))
    )
