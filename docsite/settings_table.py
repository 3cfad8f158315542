"""The table of settings: name, what may be given, default and meaning, from the fields of `Settings`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from docsite.tables import ended, plain, table
from soapsvc.settings import Settings


def settings_table() -> str:
    """Return a row for each setting."""
    heads = ("key", "value", "default", "meaning")
    return table(heads, (_row(name, field) for name, field in Settings.model_fields.items()))


def _row(name: str, field: FieldInfo) -> Iterable[str]:
    default = field.get_default(call_default_factory=True)
    shown = json.dumps(default) if isinstance(default, dict | tuple) else str(default)
    return (
        f"`{name}`",
        allowed(field),
        "none" if default is None else f"`{shown}`",
        ended(plain(field.description or "")),
    )


def allowed(field: FieldInfo) -> str:
    """Return what a setting may be: words, or a kind of value with its bounds."""
    kind = next((part for part in get_args(field.annotation) if part is not type(None)), field.annotation)
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(field.annotation))
    for origin, words in ((tuple, "list"), (dict, "table")):
        if get_origin(field.annotation) is origin:
            return words
    if kind is Path or field.annotation is Path:
        return "path"
    return _bounds(field) or "text"


def _bounds(field: FieldInfo) -> str:
    bounds: dict[str, Any] = {}
    for rule in field.metadata:
        bounds |= {name: getattr(rule, name) for name in ("ge", "gt", "le") if getattr(rule, name, None) is not None}
    if "ge" in bounds:
        return f"{bounds['ge']} to {bounds['le']}" if "le" in bounds else f"{bounds['ge']} or more"
    if "gt" in bounds:
        return f"above {bounds['gt']}" + (f", to {bounds['le']}" if "le" in bounds else "")
    return ""
