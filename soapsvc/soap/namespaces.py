"""How many namespaces a message has in force at once: every prefix in an xsi:type is looked up among all of them."""

from __future__ import annotations

from xml.parsers import expat  # safe: a DOCTYPE, which entities need, was refused before

from soapsvc.soap.faults import client_fault

MAX_NAMESPACES = 64  # declared and not yet closed


def check_namespaces(content: bytes) -> None:
    """Raise SoapFault when a message in UTF-8 has too many namespaces in force at any element.

    Few messages declare so many at all; only those are read once more for it.
    """
    if content.count(b"xmlns") <= MAX_NAMESPACES:
        return
    in_force = 0

    def begin(_prefix: str | None, _namespace: str | None) -> None:
        nonlocal in_force
        in_force += 1
        if in_force > MAX_NAMESPACES:
            raise client_fault(f"more than {MAX_NAMESPACES} namespaces are declared at one place")

    def end(_prefix: str | None) -> None:
        nonlocal in_force
        in_force -= 1

    parser = expat.ParserCreate("utf-8", "\n")
    parser.StartNamespaceDeclHandler, parser.EndNamespaceDeclHandler = begin, end
    try:
        parser.Parse(content, True)
    except expat.ExpatError as err:
        where = f"line {err.lineno}, column {err.offset}"
        raise client_fault(f"the message is not well-formed XML ({where})") from None
