"""The manifest's key `session`: what a conversation keeps from one call to the next. `conversation` works it out."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from soapsvc.model.functions import FunctionName
from soapsvc.model.keys import Entry


class StateEntry(Entry):
    """One input that is fed what an output gave in the call before; `initial` is what the first call is fed."""

    output: str
    """The output that gives its next value: of the same dtype and shape."""
    initial: Any
    """What the first call is fed, without `batch`: nested lists, or one value for all of a fixed shape."""


class TurnsEntry(Entry):
    """The input that is fed the questions and sentences of the last turns, as text."""

    input: str
    """An input of dtype string and shape `[last, 2]`, or `[batch, last, 2]`: question and sentence, oldest
    first, empty before the first."""
    last: Annotated[int, Field(ge=1, le=100)] = 4
    """How many turns."""


class SessionEntry(Entry):
    """What a session of the model keeps, and the functions that may fill slots of its sentences."""

    state: dict[str, StateEntry] = Field({})
    """Inputs that are fed what an output gave in the call before."""
    turns: TurnsEntry | None = None
    """An input that is fed the last turns as text."""
    functions: tuple[FunctionName, ...] = ()
    """What may fill slots of the sentence, as `{time}`; see docs/conversations.md#functions."""

    @model_validator(mode="after")
    def _keeps_something(self) -> Self:
        if not self.state and self.turns is None:
            raise ValueError("give `state` or `turns`: without either there is nothing to keep")
        if self.turns is not None and self.turns.input in self.state:
            raise ValueError(f"{self.turns.input} is fed by `state` and by `turns`; feed it from one")
        outputs = [entry.output for entry in self.state.values()]
        twice = [output for output in outputs if outputs.count(output) > 1]
        if twice:
            raise ValueError(f"state takes the output {twice[0]} twice; each output goes into one input")
        return self

    @property
    def inputs(self) -> frozenset[str]:
        """The signature's inputs that a session feeds, and no client."""
        return frozenset({*self.state, *([] if self.turns is None else [self.turns.input])})

    @property
    def outputs(self) -> frozenset[str]:
        """The signature's outputs that a session keeps, and no client sees."""
        return frozenset(entry.output for entry in self.state.values())
