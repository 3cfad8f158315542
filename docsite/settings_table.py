"""The table of settings: name, what may be given, default and meaning, from the fields of `Settings`."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pydantic.fields import FieldInfo

from docsite.tables import ended, plain, table
from docsite.values import allowed
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
