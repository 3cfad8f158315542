"""Whether one contract keeps another: the differences that would break a client's stubs, in plain words.

Compares operations, faults, elements and types. Documentation, the address, and the order of declarations don't
count, since no stub depends on them.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from soapsvc.soap.ns import WSDL, XSD
from soapsvc.soap.wsdl import schema_of

_W, _X = f"{{{WSDL}}}", f"{{{XSD}}}"
Members = dict[str, str]  # a member's name -> its type in words


def broken_promises(published: etree._Element, offered: etree._Element) -> list[str]:
    """Return how an offered WSDL differs from a published one, nothing when it keeps it."""
    if published.get("targetNamespace") != offered.get("targetNamespace"):
        return [f"the namespace was {published.get('targetNamespace')}, is {offered.get('targetNamespace')}"]
    return differences(published, offered)


def differences(was: etree._Element, now: etree._Element) -> list[str]:
    """Return what one WSDL has other than another, apart from the namespace: what changed from v1 to v2."""
    return [
        *_set_differences("operation", _operations(was), _operations(now)),
        *_type_differences(_types(was), _types(now)),
    ]


def _set_differences(what: str, was: Members, now: Members) -> Iterator[str]:
    for name in sorted(was.keys() | now.keys()):
        if name not in now:
            yield f"{what} {name} is missing"
        elif name not in was:
            yield f"{what} {name} is new"
        elif was[name] != now[name]:
            yield f"{what} {name} was {was[name]}, is {now[name]}"


def _operations(wsdl: etree._Element) -> Members:
    found = {}
    for operation in wsdl.iter(f"{_W}portType"):
        for node in operation.findall(f"{_W}operation"):
            faults = sorted(str(fault.get("name")) for fault in node.findall(f"{_W}fault"))
            found[str(node.get("name"))] = f"with faults {', '.join(faults) or 'none'}"
    return found


def _types(wsdl: etree._Element) -> dict[str, Members]:
    """Return the members of each element and type by its name."""
    found = {}
    for node in schema_of(wsdl):
        if node.tag == f"{_X}simpleType":
            values = [str(value.get("value")) for value in node.iter(f"{_X}enumeration")]
            found[str(node.get("name"))] = {"values": ", ".join(values)}
        else:
            members = [child for child in node.iter(f"{_X}element") if child is not node]
            found[str(node.get("name"))] = {str(child.get("name")): _in_words(child) for child in members}
    return found


def _in_words(member: etree._Element) -> str:
    words = [str(member.get("type")).split(":")[-1]]
    if member.get("nillable") == "true":
        words.append("or nil")
    if member.get("minOccurs") == "0":
        words.append("or absent")
    if member.get("maxOccurs") not in (None, "1"):
        words.append("any number of times")
    return " ".join(words)


def _type_differences(was: dict[str, Members], now: dict[str, Members]) -> Iterator[str]:
    for name in sorted(was.keys() | now.keys()):
        if name not in now:
            yield f"{name} is missing"
        elif name in was:
            yield from _member_differences(name, was[name], now[name])


def _member_differences(name: str, was: Members, now: Members) -> Iterator[str]:
    for member, kind in was.items():
        if member not in now:
            yield f"{name}.{member} was {kind}, is missing"
        elif now[member] != kind:
            yield f"{name}.{member} was {kind}, is {now[member]}"
    for member in now:
        if member not in was:
            yield f"{name}.{member} is new"
    if was.keys() == now.keys() and list(was) != list(now):
        yield f"{name}: the order was {', '.join(was)}, is {', '.join(now)}"
