"""The text of XML Schema's simple types as Python values: what each type's lexical space allows, and no more.

Every function raises ValueError for text that is no value of its type. The way back is `text`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pybase64

_WHITE = (b" ", b"\t", b"\r", b"\n")
_JSON_NUMBERS = b"0123456789+-.eE\x00"
WHITE = " \t\r\n"  # what XML calls white space; Python's strip would take more
_DOUBLE = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|-?INF|NaN")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DOUBLE_CHARACTERS = re.compile(r"[0-9eE+\-. \t\r\n]*")  # with these alone, float() takes what the schema does
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_BASE64_END = re.compile(rb"[A-Za-z0-9+/]*([AQgw]==|[AEIMQUYcgkosw048]=)?")  # XML Schema part 2, 3.2.16


def parse_double(text: str) -> float:
    """xs:double; XML Schema part 2, 3.2.5."""
    if not _DOUBLE.fullmatch(text.strip(WHITE)):
        raise ValueError(text)
    return float(text)


def parse_doubles(texts: list[str]) -> list[float]:
    """Many xs:double, at the price of one check."""
    parse = float if _DOUBLE_CHARACTERS.fullmatch(" ".join(texts)) else parse_double
    return [parse(text) for text in texts]


def parse_numbers(texts: bytes, parse: Callable[[str], Any]) -> list[Any]:
    """Many xs:double or xs:long, a zero byte between them, as a JSON parser reads them: for those spelled as there.

    parse: what reads one of them. Raises ValueError for all others, also for right ones, and for other types.
    """
    whole = parse is parse_long
    if not (whole or parse is parse_double) or b"-0\x00" in texts + b"\x00" or texts.translate(None, _JSON_NUMBERS):
        raise ValueError("spelled in another way")
    numbers: list[Any] = orjson.loads(b"[%b]" % texts.replace(b"\x00", b","))
    if whole and not all(type(each) is int and each < 2**63 for each in numbers):
        raise ValueError("not all whole")
    return numbers if whole else list(map(float, numbers))


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        stripped = text.strip(WHITE)
        if not _INTEGER.fullmatch(stripped) or not low <= int(stripped) <= high:
            raise ValueError(text)
        return int(stripped)

    return parse


parse_long = _integer(-(2**63), 2**63 - 1)
parse_int = _integer(-(2**31), 2**31 - 1)


def parse_boolean(text: str) -> bool:
    """xs:boolean."""
    try:
        return BOOLEANS[text.strip(WHITE)]
    except KeyError:
        raise ValueError(text) from None


def parse_bytes(text: str) -> bytes:
    """xs:base64Binary; XML Schema part 2, 3.2.16."""
    return parse_base64(text.encode("ascii"))


def parse_base64(packed: bytes) -> bytes:
    """The same, of text that is encoded already."""
    if any(white in packed for white in _WHITE):  # many times as fast as to remove none
        packed = packed.translate(None, b"".join(_WHITE))
    if len(packed) % 4 or not _BASE64_END.fullmatch(packed[-4:]):
        raise ValueError("base64")
    return pybase64.b64decode(packed, validate=True)


def parse_choice(values: Sequence[str]) -> Callable[[str], str]:
    """Return the function that takes an enumeration of strings."""

    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(text)
        return text

    return parse
