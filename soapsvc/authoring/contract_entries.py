"""The contract's entries of a manifest: what the user wants of inputs and outputs, over what their names suggest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from soapsvc.authoring.freeze_contract import Wanted
from soapsvc.authoring.freeze_result import Arrays
from soapsvc.authoring.source import SourceError
from soapsvc.model.dtypes import FLOATS
from soapsvc.model.elements import JAVA_WORDS
from soapsvc.model.signature import TensorSpec, show_shape

Observed = Sequence[tuple[Arrays, Arrays]]  # inputs and outputs of calls
Specs = Mapping[str, TensorSpec]
Entries = dict[str, dict[str, Any]]


def wanted_entries(inputs: Specs, outputs: Specs, wanted: Wanted, observed: Observed) -> dict[str, Any]:
    """Return the content of a manifest's `contract`, with names in place of files of labels.

    Raises SourceError where an option fits no tensor, or more than one.
    """
    contract: dict[str, Any] = deepcopy(dict(wanted.contract))
    contract["inputs"] = _with_elements(inputs, _with_columns(contract.get("inputs", {}), inputs, wanted))
    contract["outputs"] = _with_elements(outputs, _with_labels(contract.get("outputs", {}), outputs, wanted, observed))
    return contract


def _with_columns(entries: Entries, inputs: Specs, wanted: Wanted) -> Entries:
    for given, columns in wanted.columns.items():
        fits = [name for name, spec in inputs.items() if spec.instance_shape in ((len(columns),), (None,))]
        name = _the_one("--columns", given, inputs, fits, f"take {len(columns)} values")
        entries.setdefault(name, {})["columns"] = list(columns)
    for given, units in wanted.units.items():
        rows = [name for name, entry in entries.items() if "columns" in entry]
        name = _the_one("--units", given, inputs, list(inputs) if given or not rows else rows, "can be meant")
        entry = entries.setdefault(name, {})
        entry["description"] = f"{entry['description']} ({units})" if entry.get("description") else units
    return entries


def _with_labels(entries: Entries, outputs: Specs, wanted: Wanted, observed: Observed) -> Entries:
    for given, labels in wanted.labels.items():
        fits = [name for name, spec in outputs.items() if _scores(spec, len(labels), observed)]
        name = _the_one("--labels", given, outputs, fits, f"are floats, one for each of the {len(labels)} labels")
        entries.setdefault(name, {}).update({"as": "scoredLabels", "labels": labels})
    return entries


def _scores(spec: TensorSpec, size: int, observed: Observed) -> bool:
    """Whether a tensor's instance is a row of this many floats."""
    row = spec.dtype in FLOATS and len(spec.instance_shape or ()) == 1
    return row and all(answered[spec.name].shape[-1] == size for _, answered in observed)


def _the_one(option: str, given: str, specs: Specs, fits: Sequence[str], what: str) -> str:
    """Return the tensor that an option names, or without a name the only one that fits. Raises SourceError."""
    found = [name for name in fits if given in ("", name)]
    if len(found) != 1:
        shown = ", ".join(f"{name} {spec.dtype} {show_shape(spec.shape)}" for name, spec in specs.items())
        raise SourceError(
            f"{option}{f' {given}' if given else ''}: {len(found)} of {shown} {what}, expected 1; "
            f"name it, as {option} {next(iter(specs))}=…"
        )
    return found[0]


def _with_elements(specs: Specs, entries: Entries) -> Entries:
    """Add an `element` for each tensor whose own name can't be one: no letter first, or a word of Java's."""
    for index, name in enumerate(specs):
        if entries.get(name, {}).keys() & {"element", "columns"}:
            continue
        if name in JAVA_WORDS:
            entries.setdefault(name, {})["element"] = f"{name}Value"
        elif not re.match(r"_*[A-Za-z]", name):
            entries.setdefault(name, {})["element"] = f"tensor{index}"
    return entries
