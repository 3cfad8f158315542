"""The page that calls a model: a form made from its contract, and the answer drawn.

With JavaScript the page sends the message itself, and has the answer drawn here (`Drawn`); without it the form comes
here, and the same message goes to the same endpoint in its name. Neither knows what the other does not.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import multipart
from PIL import Image, UnidentifiedImageError

from soapsvc.console.request import Answer, Request
from soapsvc.console.templates import Templates
from soapsvc.console.try_answer import Picture
from soapsvc.console.try_controls import Control, Posted
from soapsvc.console.try_drawing import Conversation, Drawing, Exchanged, draw, unpacked
from soapsvc.console.try_message import message
from soapsvc.console.try_sheet import Sheet, sheet_of
from soapsvc.model.manager import ModelManager
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.inference import NAMES
from soapsvc.soap.ns import SoapVersion

_FIRST_ROWS = 2  # of a batch
_MAX_ROWS = 100  # that a form takes
_MAX_DRAWN_BYTES = 4 * 1024 * 1024  # of an answer with its request, that the page asks to draw
_MAX_FIELDS = 20_000
Rows = dict[int, list[Control]]  # by their numbers in the form


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


class TryPage:
    """Shows the form, and does what a form without JavaScript asks."""

    def __init__(self, templates: Templates, manager: ModelManager, contracts: Contracts, max_bytes: int) -> None:
        """max_bytes: of a form."""
        self._templates, self._manager, self._contracts, self._max_bytes = templates, manager, contracts, max_bytes

    def __call__(self, request: Request, places: Mapping[str, str]) -> Answer | None:
        """Return the page, None where there is no such model."""
        model = places["model"]
        sheet = sheet_of(self._manager, model, request.query)
        if sheet is None:
            generic = model == NAMES.model
            known = generic or any(each.name == model for each in self._manager.status())
            return self._templates.page(request, "try_none.html", model=model, generic=generic) if known else None
        if request.method != "POST":
            return self._page(request, sheet, _untouched(sheet))
        try:
            posted = posted_form(request, self._max_bytes)
        except multipart.MultipartError:
            return self._templates.page(request, "message.html", 400, words="This is no form that can be read.")
        filled = filled_form(sheet, posted)
        drawing = None
        if "add" in posted.texts:
            filled.rows[max(filled.rows) + 1] = list(sheet.controls)
        elif "remove" in posted.texts:
            filled.rows.pop(int(posted.texts["remove"]) if posted.texts["remove"].isdecimal() else -1, None)
        else:
            drawing = self._called(request, sheet, filled)
        return self._page(request, sheet, filled, drawing)

    def _called(self, request: Request, sheet: Sheet, filled: Filled) -> Drawing | None:
        endpoint = self._contracts.find(filled.soap, sheet.names.model, sheet.names.version)
        if endpoint is None:
            return None
        conversation = filled.conversation
        envelope = message(
            sheet.names, filled.soap, sheet.operation, list(filled.rows.values()), conversation.session_id
        )
        began = time.monotonic()
        answer = request.call(sheet.path(filled.soap, filled.pin), filled.soap.content_type, envelope)
        exchanged = Exchanged(envelope, answer.body, answer.status, (time.monotonic() - began) * 1000)
        return draw(sheet, endpoint, exchanged, _picture(filled), conversation, filled.said)

    def _page(self, request: Request, sheet: Sheet, filled: Filled, drawing: Drawing | None = None) -> Answer:
        conversation = drawing.conversation if drawing else filled.conversation
        return self._templates.page(
            request, "try.html", model=sheet.names.model, sheet=sheet, filled=filled, drawing=drawing,
            conversation=conversation, soaps=list(SoapVersion),
        )  # fmt: skip


class Drawn:
    """Draws what the page sent and was answered, for the page to show."""

    def __init__(self, templates: Templates, manager: ModelManager, contracts: Contracts) -> None:
        self._templates, self._manager, self._contracts = templates, manager, contracts

    def __call__(self, request: Request, places: Mapping[str, str]) -> Answer | None:
        """Return a piece of HTML, None where no version of the model can answer any more."""
        sheet = sheet_of(self._manager, places["model"], request.query)
        if sheet is None:
            return None
        try:
            posted = posted_form(request, _MAX_DRAWN_BYTES)
        except multipart.MultipartError:
            return None
        filled = filled_form(sheet, posted)
        endpoint = self._contracts.find(filled.soap, sheet.names.model, sheet.names.version)
        if endpoint is None:
            return None
        texts = posted.texts
        exchanged = Exchanged(
            texts.get("request", "").encode(), texts.get("answer", "").encode(), int(_number(texts.get("status", ""))),
            _number(texts.get("milliseconds", "")),
        )  # fmt: skip
        width, height = (int(_number(texts.get(name, ""))) for name in ("pictureWidth", "pictureHeight"))
        picture = Picture("", width, height) if width and height else None
        drawing = draw(sheet, endpoint, exchanged, picture, filled.conversation, filled.said)
        return self._templates.page(
            request, "try_answer.html", sheet=sheet, drawing=drawing, conversation=drawing.conversation
        )


def posted_form(request: Request, max_bytes: int) -> Posted:
    """Return what a form sent, the first value where a name stands twice. Raises multipart.MultipartError."""
    body = request.read_body(max_bytes)
    environ = {
        "wsgi.input": BytesIO(body), "CONTENT_TYPE": request.headers["content-type"], "CONTENT_LENGTH": str(len(body)),
        "REQUEST_METHOD": "POST",
    }  # fmt: skip
    texts, files = multipart.parse_form_data(
        environ, ignore_errors=False, part_limit=_MAX_FIELDS, spool_limit=len(body) + 1, memory_limit=len(body) + 1
    )
    return Posted({name: texts.getall(name)[0] for name in texts}, {name: files.getall(name)[0].raw for name in files})


def filled_form(sheet: Sheet, posted: Posted) -> Filled:
    """Return a form as it was sent."""
    names = [name.partition(".")[0] for name in (*posted.texts, *posted.files) if "." in name]
    numbers = sorted({int(name) for name in names if name.isdecimal() and len(name) < 7})[:_MAX_ROWS] or [0]
    rows = {number: [control.filled(posted, number) for control in sheet.controls] for number in numbers}
    soap = SoapVersion.SOAP12 if posted.texts.get("soap") == SoapVersion.SOAP12.value else SoapVersion.SOAP11
    conversation = unpacked(posted.texts.get("sessionId", ""), posted.texts.get("turns", ""))
    return Filled(soap, posted.texts.get("pin", ""), rows, conversation)


def _untouched(sheet: Sheet) -> Filled:
    count = _FIRST_ROWS if sheet.operation == "predictBatch" and sheet.max_batch > 1 else 1
    rows = {number: list(sheet.controls) for number in range(count)}
    return Filled(SoapVersion.SOAP11, "", rows, Conversation())


def _picture(filled: Filled) -> Picture | None:
    """Return the picture that a form sends, None without one that a browser could show."""
    content = filled.picture
    if content is None:
        return None
    try:
        with Image.open(BytesIO(content)) as image:
            size = image.size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError):
        return None
    control = next(control for row in filled.rows.values() for control in row if control.kind == "image")
    return Picture(control.picture, *size)


def _number(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1e9)
    except ValueError:
        return 0.0
