"""A fault as a person would want it told: what is wrong, where, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from soapsvc.soap.answer import ReceivedFault

_TITLES = {
    "InvalidInput": "A value is not what the model takes",
    "ModelNotFound": "No such model or version is loaded",
    "Overloaded": "The model has too much to do",
    "DeadlineExceeded": "The answer was not ready in time",
    "Unavailable": "The model can't answer now",
    "AuthenticationFailed": "The service does not let you in",
}


@dataclass(frozen=True)
class FaultWords:
    """A fault in words. field: the element at fault, empty where it is none.  row: its place in a batch.

    name: the fault's own, for who wants to catch it.  request_id: under which the server logged the call.
    """

    title: str
    sentence: str
    advice: str = ""
    name: str = ""
    code: str = ""
    field: str = ""
    row: int = 0
    request_id: str = ""


def words_of(fault: ReceivedFault) -> FaultWords:
    """Return what a page tells of a fault."""
    members = fault.members
    title = _TITLES.get(fault.type, "The service could not answer this message")
    sentence = _sentence(fault)
    field, row = _place(members.get("field", ""))
    return FaultWords(
        title, sentence, _advice(fault), fault.type, members.get("code", ""), field, row, members.get("requestId", "")
    )


def _sentence(fault: ReceivedFault) -> str:
    members = fault.members
    if fault.type == "InvalidInput":  # begins with an element's name, which stays as it is
        return f"{members.get('field')}: expected {members.get('expected')}, received {members.get('received')}."
    said = (members.get("message") or fault.text).rstrip(".")
    return f"{said[:1].upper()}{said[1:]}."


def _advice(fault: ReceivedFault) -> str:
    if wait := fault.members.get("retryAfterSeconds"):
        return f"Nothing is wrong with the message: send it again in {wait} {'second' if wait == '1' else 'seconds'}."
    if fault.type == "InvalidInput":
        return "Change it and send again."
    if fault.type == "DeadlineExceeded":
        return "Send less at once, or ask who runs this server for a longer deadline."
    return ""


def _place(field: str) -> tuple[str, int]:
    """Return the element and the row that a fault's field names, as `instances[3].petalLength`."""
    row = 0
    if field.startswith("instances[") and "]." in field:
        index, _, field = field.removeprefix("instances[").partition("].")
        row = int(index) if index.isdecimal() else 0
    return field.partition(".")[0].partition("[")[0], row
