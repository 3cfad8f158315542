"""What a user asks `freeze` for, checked as far as that goes without reading the model. Imports no TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml

from soapsvc.authoring.source import SourceError
from soapsvc.authoring.wiring import Wiring

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_VERSION = re.compile(r"[1-9][0-9]*")

T = TypeVar("T")
Named = Mapping[str, T]  # a tensor's name in the contract -> what is said of it; "" is the one that fits


@dataclass(frozen=True)
class Request:
    """One run of `freeze`: of a source, or of the parts in `wiring`.

    inputs, outputs: nodes or tensors of a graph, as `x` or `x:0`; empty means suggested.
    input_names, output_names: what the contract calls them, in the same order; empty means as the source does.
    constants: node or tensor name -> what is always fed.  golden: an .npz with an array for each input.
    build: `module:function` that makes the graph or model for a source that holds values only.
    free_size: what an unknown dimension measures in random inputs.  tolerance: the largest relative difference.
    contract: a file with keys of the manifest that win over what is inferred.
    scope: of a part in a wiring; what its checkpoint or graph has under this scope is the part's.
    """

    source: Path | None
    to: Path
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    collection: str | None = None
    signature: str = "serving_default"
    constants: Mapping[str, Any] = field(default_factory=dict)
    custom_objects: str | None = None
    build: str | None = None
    unsafe: bool = False
    op_libraries: tuple[str, ...] = ()
    labels: Named[Path] = field(default_factory=dict)
    columns: Named[tuple[str, ...]] = field(default_factory=dict)
    units: Named[str] = field(default_factory=dict)
    contract: Path | None = None
    description: str = ""
    golden: Path | None = None
    free_size: int = 16
    seed: int = 0
    tolerance: float = 1e-4
    optimise: bool = True
    force: bool = False
    wiring: Wiring | None = None
    scope: str = ""

    @property
    def name(self) -> str:
        """The model's name: the folder above the version's."""
        return self.to.parent.name

    def of_part(self, scope: str) -> Request:
        """Return the request for one part of the wiring alone."""
        assert self.wiring is not None
        part = self.wiring.parts[scope]
        return replace(
            self, source=part.path, scope=scope, wiring=None, inputs=part.inputs, outputs=part.outputs,
            input_names=part.input_names, output_names=part.output_names, collection=part.collection,
            signature=part.signature or self.signature, build=part.build, constants=part.constants,
        )  # fmt: skip

    def check_source(self) -> None:
        """Raise SourceError unless there is a source or parts, and no option that each part needs for itself."""
        if (self.source is None) == (self.wiring is None):
            raise SourceError("expected either a SOURCE, or parts: --part SCOPE=PATH, or a --wiring file that has them")
        own = {
            "--inputs": self.inputs, "--outputs": self.outputs, "--input-names": self.input_names,
            "--output-names": self.output_names, "--collection": self.collection, "--build": self.build,
            "--constant": self.constants,
        }  # fmt: skip
        given = [option for option, value in own.items() if value]
        if self.wiring is not None and given:
            key = given[0].removeprefix("--").replace("-", "_")
            raise SourceError(
                f"{given[0]} is for one source; with parts it stands in the --wiring file, "
                f"as parts.{next(iter(self.wiring.parts))}.{'constants' if key == 'constant' else key}"
            )

    def check_target(self) -> None:
        """Raise SourceError unless --to is a version's folder that may be written."""
        if not _NAME.fullmatch(self.name) or not _VERSION.fullmatch(self.to.name):
            raise SourceError(
                f"--to {self.to}: expected models/NAME/VERSION, as models/iris/1: a name of lower-case letters, "
                "digits and dashes, and a version of 1 or more"
            )
        if self.to.exists() and not self.force:
            raise SourceError(f"{self.to} exists; write the next version, or replace this one with --force")


def named(text: str) -> tuple[str, str]:
    """Return name and value of `name=value`, and an empty name for `value` alone."""
    found = re.fullmatch(r"([A-Za-z][A-Za-z0-9_]*)=(.*)", text)
    return (found[1], found[2]) if found else ("", text)


def by_name(option: str, given: Iterable[tuple[str, str]], read: Callable[[str], T]) -> dict[str, T]:
    """Return the values of a repeated option by the names in it. Raises SourceError unless each is named once."""
    values: dict[str, T] = {}
    for name, text in given:
        if name in values or (values and "" in (name, *values)):
            raise SourceError(
                f"{option} stands more than once: name a different input or output in each, as {option} x=…"
            )
        values[name] = read(text)
    return values


def comma_list(text: str) -> tuple[str, ...]:
    """Return the names in `a,b,c`."""
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def constant(text: str) -> tuple[str, Any]:
    """Return name and value of `keep_prob=1.0`. Raises ValueError, for argparse to report.

    A value is written as in model.yaml: 1.0, false, text, [1, 2].
    """
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ValueError(f"expected NAME=VALUE, received {text!r}")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError as err:
        raise ValueError(f"{value!r} is no value") from err


def tensor_name(name: str) -> str:
    """Return a tensor's full name: `x:0` for `x`."""
    return name if re.search(r":[0-9]+$", name) else f"{name}:0"


def node_name(name: str) -> str:
    """Return the name of the node that gives a tensor, whatever way a NodeDef or a user spells it."""
    return name.lstrip("^").split(":")[0]
