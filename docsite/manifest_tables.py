"""The tables of the manifest's keys, from the pydantic models that read it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from docsite.tables import ended, plain, table
from docsite.values import allowed
from soapsvc.model.manifest import Manifest


def manifest_models() -> list[type[BaseModel]]:
    """Return the manifest's model and every model inside it, from the outside in."""
    found: list[type[BaseModel]] = []
    waiting: list[type[BaseModel]] = [Manifest]
    while waiting:
        model = waiting.pop(0)
        if model not in found:
            found.append(model)
            waiting += [inner for field in model.model_fields.values() for inner in _models_in(field.annotation)]
    return found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def key_table(model: type[BaseModel]) -> str:
    """Return every key of a model with what may be given, its default and its meaning."""
    return table(("key", "value", "default", "meaning"), (_row(*item) for item in model.model_fields.items()))


def _row(name: str, field: FieldInfo) -> Iterable[str]:
    return f"`{field.alias or name}`", allowed(field), _default(field), ended(plain(field.description or ""))


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return "required"
    if default in (None, "", (), {}) or isinstance(default, BaseModel):
        return ""
    if isinstance(default, str):
        return f"`{default}`"
    return f"`{json.dumps(default)}`"
