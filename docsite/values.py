"""What a setting or a key of the manifest may be, in words, from its annotation."""

from __future__ import annotations

import types
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from soapsvc.model.keys import FileName
from soapsvc.model.serving_keys import Sha256

PATTERNS = {get_args(FileName)[1].pattern: "file name", get_args(Sha256)[1].pattern: "64 hex digits, lower case"}
PLAIN = {str: "text", bool: "bool", int: "whole number", float: "number", Path: "path", Any: "value"}
BOUNDS = ("ge", "gt", "le", "pattern")
LONG_PATTERN = 40  # letters; a longer one tells less than the meaning beside it


def allowed(field: FieldInfo) -> str:
    """Return what may be given for a field."""
    return _words(field.annotation, field.metadata)


def _words(kind: Any, rules: Iterable[Any]) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _words(inner[0], [*inner[1:], *rules])
    if origin in (Union, types.UnionType):
        return " or ".join(_words(each, rules) for each in inner if each is not type(None))
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in inner)
    if origin is tuple:
        return f"list of {_words(inner[0], ())}" if inner[1:] == (...,) else f"{len(inner)} {_words(inner[0], ())}s"
    if origin is dict:
        return f"name: {_words(inner[1], ())}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.__name__.removesuffix("Entry").removesuffix("File").lower()
    return _bounded(rules) or PLAIN.get(kind, "text")


def _bounded(rules: Iterable[Any]) -> str:
    """Return the bounds or the pattern that rules set, "" where they set none."""
    bounds: dict[str, Any] = {}
    for rule in rules:
        for part in getattr(rule, "metadata", [rule]):
            bounds |= {name: getattr(part, name) for name in BOUNDS if getattr(part, name, None) is not None}
    if "pattern" in bounds:
        pattern = bounds["pattern"].strip("^$")
        return PATTERNS.get(bounds["pattern"], f"`{pattern}`" if len(pattern) < LONG_PATTERN else "name")
    if "ge" in bounds:
        return f"{bounds['ge']} to {bounds['le']}" if "le" in bounds else f"{bounds['ge']} or more"
    if "gt" in bounds:
        return f"above {bounds['gt']}" + (f", to {bounds['le']}" if "le" in bounds else "")
    return ""
