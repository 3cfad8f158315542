"""The form of a model as it comes back: what was written into it, and the pictures that were chosen."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import multipart

from soapsvc.console.request import Request
from soapsvc.console.try_controls import Control, Posted
from soapsvc.console.try_drawing import Conversation, unpacked
from soapsvc.console.try_sheet import Sheet
from soapsvc.soap.ns import SoapVersion

MAX_ROWS = 100  # of a batch, that a form takes
_FIRST_ROWS = 2
_MAX_FIELDS = 20_000
Rows = dict[int, list[Control]]  # by their numbers in the form


class MalformedForm(Exception):
    """What was sent is no form."""


@dataclass(frozen=True)
class Filled:
    """A form as it was filled in."""

    soap: SoapVersion
    pin: str
    rows: Rows
    conversation: Conversation

    @property
    def said(self) -> str:
        """The first text, which a conversation shows."""
        (row, *_) = self.rows.values()
        return next((control.value for control in row if control.kind == "text"), "")

    @property
    def picture(self) -> bytes | None:
        """The picture that is sent, None without one."""
        (row, *_) = self.rows.values()
        return next((control.content for control in row if control.kind == "image"), None)


def untouched_form(sheet: Sheet) -> Filled:
    """Return a form as it is shown first."""
    count = _FIRST_ROWS if sheet.operation == "predictBatch" and sheet.max_batch > 1 else 1
    rows = {number: list(sheet.controls) for number in range(count)}
    return Filled(SoapVersion.SOAP11, "", rows, Conversation())


def posted_form(request: Request, max_bytes: int) -> Posted:
    """Return what a form sent, the first value where a name stands twice. Raises MalformedForm."""
    body = request.read_body(max_bytes)
    environ = {
        "wsgi.input": BytesIO(body), "CONTENT_TYPE": request.headers["content-type"], "CONTENT_LENGTH": str(len(body)),
        "REQUEST_METHOD": "POST",
    }  # fmt: skip
    try:
        texts, files = multipart.parse_form_data(
            environ, ignore_errors=False, part_limit=_MAX_FIELDS, spool_limit=len(body) + 1, memory_limit=len(body) + 1
        )
    except (multipart.MultipartError, UnicodeError) as err:
        raise MalformedForm from err
    if not texts and not files:
        raise MalformedForm
    return Posted({name: texts.getall(name)[0] for name in texts}, {name: files.getall(name)[0].raw for name in files})


def filled_form(sheet: Sheet, posted: Posted) -> Filled:
    """Return a form as it was sent."""
    names = [name.partition(".")[0] for name in (*posted.texts, *posted.files) if "." in name]
    numbers = sorted({int(name) for name in names if name.isdecimal() and len(name) < 7})[:MAX_ROWS] or [0]
    rows = {number: [control.filled(posted, number) for control in sheet.controls] for number in numbers}
    soap = SoapVersion.SOAP12 if posted.texts.get("soap") == SoapVersion.SOAP12.value else SoapVersion.SOAP11
    conversation = unpacked(posted.texts.get("sessionId", ""), posted.texts.get("turns", ""))
    return Filled(soap, posted.texts.get("pin", ""), rows, conversation)
