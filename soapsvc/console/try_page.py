"""The page that calls a model: a form made from its contract, and the answer drawn.

With JavaScript the page sends the message itself, and has the answer drawn here (`Drawn`); without it the form comes
here, and the same message goes to the same endpoint in its name. Neither knows what the other does not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from soapsvc.console.request import Answer, Request
from soapsvc.console.templates import Templates
from soapsvc.console.try_answer import Picture
from soapsvc.console.try_controls import picture_address
from soapsvc.console.try_drawing import Drawing, Exchanged, draw
from soapsvc.console.try_form import MAX_ROWS, Filled, MalformedForm, filled_form, posted_form, untouched_form
from soapsvc.console.try_message import message
from soapsvc.console.try_sheet import Sheet, sheet_of
from soapsvc.model.manager import ModelManager
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.inference import NAMES
from soapsvc.soap.ns import SoapVersion

_MAX_DRAWN_BYTES = 4 * 1024 * 1024  # of an answer with its request, that the page asks to draw
_LARGEST = 1e9  # of the numbers that the page tells


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
            return self._page(request, sheet, untouched_form(sheet))
        try:
            posted = posted_form(request, self._max_bytes)
        except MalformedForm:
            return self._templates.page(request, "message.html", 400, words="This is no form that can be read.")
        filled = filled_form(sheet, posted)
        drawing = None
        if "add" in posted.texts:
            if len(filled.rows) < MAX_ROWS:
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
        return draw(sheet, endpoint, exchanged, _picture(filled.picture), conversation, filled.said)

    def _page(self, request: Request, sheet: Sheet, filled: Filled, drawing: Drawing | None = None) -> Answer:
        conversation = drawing.conversation if drawing else filled.conversation
        return self._templates.page(
            request, "try.html", model=sheet.names.model, sheet=sheet, filled=filled, drawing=drawing,
            conversation=conversation, soaps=list(SoapVersion), picture_address=picture_address,
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
        except MalformedForm:
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


def _picture(content: bytes | None) -> Picture | None:
    """Return a picture that a form sent, None without one that a browser could show."""
    if content is None:
        return None
    try:
        with Image.open(BytesIO(content)) as image:
            size = image.size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError):
        return None
    return Picture(picture_address(content), *size)


def _number(text: str) -> float:
    """Return a number that the page told, 0 for what is none."""
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return min(max(number, 0.0), _LARGEST) if math.isfinite(number) else 0.0
