"""Keys of the files that authors write: what holds for all, and the wording of what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from soapsvc.errors import LoadError

STRICT = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)  # of every model of keys
PAGE = "docs/manifest.md"
Keys = TypeVar("Keys", bound=BaseModel)
_UNION_STEPS = ("constrained-", "tuple[")  # pydantic's names for the choices of one key; no author knows them

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class Entry(BaseModel):
    """Some keys of the manifest; what a key means stands below it, and in `docs/manifest.md`."""

    model_config = STRICT


def checked(model: type[Keys], content: Mapping[str, Any], shown_as: str, page: str = PAGE) -> Keys:
    """Return content as a model of keys; page is where its keys are explained. Raises LoadError as read_manifest."""
    try:
        return model.model_validate(content)
    except ValidationError as err:
        raise LoadError("\n".join(f"{shown_as}: {line}" for line in _lines(err.errors(), page))) from err


def check_part(model: type[BaseModel], content: Mapping[str, Any], shown_as: str) -> None:
    """Do as `checked`, but for content that is to be merged: keys that go together only need not be together yet."""
    try:
        model.model_validate(content)
    except ValidationError as err:
        wrong = [problem for problem in err.errors() if problem["type"] != "value_error"]
        if wrong:
            raise LoadError("\n".join(f"{shown_as}: {line}" for line in _lines(wrong, PAGE))) from err


def _lines(problems: Iterable[Any], page: str) -> list[str]:
    lines = []
    for problem in problems:
        where = ".".join(str(step) for step in problem["loc"] if not str(step).startswith(_UNION_STEPS))
        came = problem["input"]
        shown = "" if isinstance(came, dict | BaseModel) else f" (received {came!r:.80})"
        lines.append(f"{where + ': ' if where else ''}{_message(problem, page)}{shown}")
    return lines


def _message(problem: Any, page: str) -> str:
    if problem["type"] == "extra_forbidden":
        return f"unknown key; {page} lists the keys that are allowed here"
    return str(problem["msg"]).removeprefix("Value error, ")
