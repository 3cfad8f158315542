"""What `predict` asks: one model's typed service, in this process or at a URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from soapsvc.model.contract import InputField

Row = Sequence[Any]  # a value for each input field, as the service's readers give it; None for one left out
Answer = dict[str, Any]  # element -> value: numbers, bools, text, bytes, lists and dicts of them


class Refused(Exception):
    """The service answered with a fault; the message is the fault's."""


@dataclass(frozen=True)
class Form:
    """What a service takes.

    inputs: one field for each element of an instance, in order.  batched: whether arrays count instances first.
    max_batch: the most instances of a call.
    """

    inputs: tuple[InputField, ...]
    batched: bool
    max_batch: int


class Service(Protocol):
    """Predicts; `local` and `remote` are the two kinds."""

    form: Form

    def predict(self, rows: Sequence[Row]) -> list[Answer]:
        """Return an answer for each row: one row by the operation predict, several by predictBatch.

        Raises Refused at a fault, SourceError when there is no answer at all.
        """
