"""Several parts for one frozen graph: where each comes from, and whose outputs feed whose inputs.

Owns the keys of the wiring file and what is wrong with them as far as that shows without reading a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from soapsvc.authoring.source import SourceError
from soapsvc.errors import LoadError
from soapsvc.model.keys import checked
from soapsvc.model.yaml_file import read_yaml

PAGE = "docs/freezing.md"
_NAME = "^[A-Za-z][A-Za-z0-9_]*$"
Name = Annotated[str, StringConstraints(pattern=_NAME)]  # of a scope, or of the contract's input or output


def _reference(text: str) -> str:
    part, dot, tensor = text.partition(".")
    if not (part and dot and tensor):
        raise ValueError("expected PART.NAME, a part's input or output, as find.image")
    return text


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Reference = Annotated[str, AfterValidator(_reference)]  # `find.image`: a part, and its input or output


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PartEntry(_Strict):
    """One part: its file and what the options of the same names say of a single source."""

    path: Path | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    collection: str | None = None
    signature: str | None = None
    build: str | None = None
    constants: dict[str, Any] = {}


class Wiring(_Strict):
    """The parts by their scopes, and how they hang together.

    inputs: the contract's name -> the inputs it feeds; None means each one that no wire feeds.
    wires: a part's input -> the other part's output that feeds it.
    outputs: the contract's name -> a part's output; None means each one that no wire takes.
    """

    parts: dict[Name, PartEntry] = {}
    inputs: dict[Name, Annotated[tuple[Reference, ...], Field(min_length=1), BeforeValidator(_several)]] | None = None
    wires: dict[Reference, Reference] = {}
    outputs: dict[Name, Reference] | None = None

    def references(self) -> Iterator[tuple[str, str]]:
        """Yield (the key it stands at, `part.name`) for every place that names a part's input or output."""
        for name, several in (self.inputs or {}).items():
            yield from ((f"inputs.{name}", each) for each in several)
        for target, source in self.wires.items():
            yield from ((f"wires.{target}", each) for each in (target, source))
        yield from ((f"outputs.{name}", each) for name, each in (self.outputs or {}).items())


def read_wiring(file: Path | None, given: Sequence[tuple[str, Path]]) -> Wiring:
    """Return the wiring of the parts in a file and of those given as (scope, path).

    A relative path in the file is relative to the file. Raises SourceError: bad YAML, a scope that stands twice, a part
    without a path, a part that is named but is none.
    """
    shown = f"--wiring {file}" if file else "--part"
    try:
        content = read_yaml(file, shown) if file else {}
        from_file = checked(Wiring, content, shown, PAGE)
        parts = {name: _beside(entry, file) for name, entry in from_file.parts.items()}
        for name, path in given:
            if name in parts and parts[name].path is not None:
                raise SourceError(f"--part {name}={path}: the scope {name} stands twice; each part needs its own")
            parts[name] = parts.get(name, PartEntry()).model_copy(update={"path": path})
    except LoadError as err:
        raise SourceError(str(err)) from err
    wiring = from_file.model_copy(update={"parts": parts})
    _check(wiring, shown)
    return wiring


def _beside(entry: PartEntry, file: Path | None) -> PartEntry:
    if entry.path is None or file is None:
        return entry
    return entry.model_copy(update={"path": file.parent / entry.path})


def _check(wiring: Wiring, shown: str) -> None:
    if not wiring.parts:
        raise SourceError(f"{shown}: there are no parts; give each as --part SCOPE=PATH, or under `parts`")
    for name, entry in wiring.parts.items():
        if entry.path is None:
            raise SourceError(f"{shown}: parts.{name} has no path; give it here, or as --part {name}=PATH")
    for place, reference in wiring.references():
        part = reference.partition(".")[0]
        if part not in wiring.parts:
            raise SourceError(f"{shown}: {place}: there is no part {part}; there are {', '.join(wiring.parts)}")


def part_option(text: str) -> tuple[str, Path]:
    """Return scope and path of `s1=models/s1`. Raises ValueError, for argparse to report."""
    scope, equals, path = text.partition("=")
    if not (re.fullmatch(_NAME, scope) and equals and path):
        raise ValueError(f"expected SCOPE=PATH, received {text!r}")
    return scope, Path(path)
