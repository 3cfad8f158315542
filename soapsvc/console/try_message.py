"""The SOAP message that a form makes: what was written goes into it as it stands, for the service to judge.

`static/try.js` makes the same message in the page.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence

from soapsvc.console.try_controls import Control
from soapsvc.soap.faults import write_envelope
from soapsvc.soap.ns import ContractNames, SoapVersion
from soapsvc.soap.text import element

_BETWEEN = re.compile(r"[\s,;]+")


def message(
    names: ContractNames, soap: SoapVersion, operation: str, rows: Sequence[Sequence[Control]], session_id: str
) -> bytes:
    """Return the request of an operation. rows: one, but for predictBatch.  session_id: empty in a new conversation."""
    instances = ["".join(_element(control) for control in row) for row in rows]
    if operation == "predictBatch":
        content = f"<instances>{''.join(f'<item>{instance}</item>' for instance in instances)}</instances>"
    else:
        content = (element("sessionId", session_id) if session_id else "") + instances[0]
    return write_envelope(soap, f'<{operation} xmlns="{names.namespace}">{content}</{operation}>')


def _element(control: Control) -> str:
    if control.kind == "image":
        return element(control.element, b64encode(control.content).decode())
    if control.optional and not control.value.strip():
        return ""
    if control.kind in ("items", "lines"):
        return f"<{control.element}>{_items(control.value, control.kind == 'lines')}</{control.element}>"
    if control.kind != "tensor":
        return element(control.element, control.value)
    values = _items(control.value, control.dtype == "string")
    shape = _items(control.shape, lines=False)
    content = f"{element('dtype', control.dtype)}<shape>{shape}</shape><{control.carrier}>{values}</{control.carrier}>"
    return f"<{control.element}>{content}</{control.element}>"


def _items(text: str, lines: bool) -> str:
    parts = text.split("\n") if lines and text else _BETWEEN.split(text)
    return "".join(element("item", part) for part in parts if part or lines)
