"""The manifest's key `session`: what a conversation keeps from one call to the next. `conversation` works it out."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from soapsvc.model.functions import FunctionName
from soapsvc.model.keys import STRICT


class _Strict(BaseModel):
    model_config = STRICT


class StateEntry(_Strict):
    """One input that is fed what an output gave in the call before; `initial` is what the first call is fed."""

    output: str
    initial: Any


class TurnsEntry(_Strict):
    """The input that is fed the questions and sentences of the last turns, as text."""

    input: str
    last: Annotated[int, Field(ge=1, le=100)] = 4


class SessionEntry(_Strict):
    """What a session of the model keeps, and the functions that may fill slots of its sentences."""

    state: dict[str, StateEntry] = {}
    turns: TurnsEntry | None = None
    functions: tuple[FunctionName, ...] = ()

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
