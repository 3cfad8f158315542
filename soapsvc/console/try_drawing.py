"""One call of the try-it page, drawn: what was answered, what went over the wire, and how long it took."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from soapsvc.console.try_answer import Part, Picture, boxes_of, parts_of
from soapsvc.console.try_fault import FaultWords, words_of
from soapsvc.console.try_sheet import Sheet
from soapsvc.errors import InvalidInput
from soapsvc.soap.answer import ReceivedFault, read_answer
from soapsvc.soap.application import SoapEndpoint
from soapsvc.soap.excerpt import excerpt
from soapsvc.soap.faults import SoapFault

_MAX_TURNS = 50


@dataclass(frozen=True)
class Exchanged:
    """A request's and an answer's bytes, the answer's HTTP status, and the milliseconds between the two."""

    request: bytes
    answer: bytes
    status: int
    milliseconds: float


@dataclass(frozen=True)
class Turn:
    """One turn of a conversation. note: what else the answer holds."""

    said: str
    answered: str
    note: str = ""


@dataclass(frozen=True)
class Conversation:
    """What was said so far. session_id: empty before the first turn."""

    session_id: str = ""
    state: str = ""
    turns: Sequence[Turn] = ()

    @property
    def packed(self) -> str:
        """The turns, for a hidden field."""
        return json.dumps([[turn.said, turn.answered, turn.note] for turn in self.turns])


def unpacked(session_id: str, turns: str) -> Conversation:
    """Return what a form's hidden fields tell; nothing where they are not what was put there."""
    try:
        told = [Turn(*map(str, turn)) for turn in json.loads(turns or "[]")]
    except (TypeError, ValueError):
        told = []
    return Conversation(session_id, "", told[-_MAX_TURNS:])


@dataclass(frozen=True)
class Drawing:
    """What the page shows of a call. fault: None for an answer, which has parts, rows of a batch, or one turn more."""

    exchanged: Exchanged
    request: str
    answer: str
    fault: FaultWords | None = None
    parts: Sequence[Part] = ()
    rows: Sequence[Sequence[Part]] = ()
    version: int | None = None
    picture: Picture | None = None
    conversation: Conversation = Conversation()


def draw(
    sheet: Sheet, endpoint: SoapEndpoint, exchanged: Exchanged, picture: Picture | None, conversation: Conversation,
    said: str,
) -> Drawing:  # fmt: skip
    """Return the drawing of a call. picture: what was sent, if one was.  conversation: before it.  said: in it."""
    drawing = Drawing(
        exchanged, excerpt(exchanged.request), excerpt(exchanged.answer), conversation=conversation, picture=picture
    )
    try:
        result = read_answer(endpoint, sheet.operation, exchanged.answer)
    except (SoapFault, InvalidInput) as err:
        words = FaultWords("The answer can't be read", f"It is not what the contract promises: {err}.")
        return replace(drawing, fault=words, picture=None)
    if isinstance(result, ReceivedFault):
        return replace(drawing, fault=words_of(result), picture=None)
    outputs = sheet.contract.outputs
    if sheet.operation == "predictBatch":
        rows = [parts_of(outputs, row) for row in result]
        return replace(drawing, rows=rows, version=result[0][-1] if result else None, picture=None)
    if sheet.operation == "reply":
        session_id, state, *result = result
        turn = _turn(said, parts_of(outputs, result))
        conversation = Conversation(session_id, state, [*conversation.turns, turn][-_MAX_TURNS:])
        return replace(drawing, conversation=conversation, version=result[-1])
    if picture is not None:
        picture = replace(picture, boxes=boxes_of(outputs, result))
    return replace(drawing, parts=parts_of(outputs, result), version=result[-1], picture=picture)


def _turn(said: str, parts: Sequence[Part]) -> Turn:
    """Return a turn: the first text of an answer is what is said back, all else is beside it."""
    sentence = next((part for part in parts if part.kind == "text"), None)
    beside = [f"{part.element} {_told(part)}" for part in parts if part is not sentence]
    return Turn(said, sentence.text if sentence else "", ", ".join(beside))


def _told(part: Part) -> str:
    return ", ".join(f"{bar.label} {bar.text}" for bar in part.bars) or part.text
