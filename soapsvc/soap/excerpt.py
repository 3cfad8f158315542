"""A message as a person wants to read it: with line breaks, long texts and long arrays cut."""

from __future__ import annotations

from lxml import etree

from soapsvc.soap.envelope import parse_document
from soapsvc.soap.faults import SoapFault

MAX_TEXT = 400  # characters of one element
_KEPT_TEXT = 60
MAX_CHILDREN = 100  # of one element
_KEPT_CHILDREN = 20
_MAX_PLAIN = 2_000  # bytes of what is no XML


def excerpt(message: bytes) -> str:
    """Return a message's text in UTF-8, readable and short; what the guard refuses as it came, from its beginning."""
    try:
        root = parse_document(message)
    except SoapFault:
        return message[:_MAX_PLAIN].decode("utf-8", "replace")
    for node in list(root.iter(etree.Element)):
        _shorten(node)
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")


def _shorten(node: etree._Element) -> None:
    if len(node) > MAX_CHILDREN:
        more = len(node) - _KEPT_CHILDREN
        del node[_KEPT_CHILDREN:]
        node.append(etree.Comment(f" {more:,} more "))
    if not len(node) and node.text and len(node.text) > MAX_TEXT:
        node.text = f"{node.text[:_KEPT_TEXT]}… ({len(node.text):,} characters)"
