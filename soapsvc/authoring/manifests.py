"""From a frozen signature to the content of model.yaml: dimensions named, the contract's entries as wanted.

Owns what a manifest written by `freeze` says; `soapsvc.model.manifest` owns what any may say. Imports no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from soapsvc.authoring.contract_entries import Observed, Specs, wanted_entries
from soapsvc.authoring.folder import LABELS_FILE
from soapsvc.authoring.freeze_contract import Wanted
from soapsvc.authoring.freeze_request import Request
from soapsvc.authoring.freeze_result import Frozen
from soapsvc.authoring.source import SourceError
from soapsvc.errors import LoadError
from soapsvc.model.keys import checked
from soapsvc.model.manifest import Manifest
from soapsvc.model.signature import BATCH, Limits, TensorSpec


def manifest_of(
    frozen: Frozen, request: Request, wanted: Wanted, observed: Observed
) -> tuple[dict[str, Any], list[str]]:
    """Return the content of model.yaml and the names in labels.txt, none when there is no such file.

    Raises SourceError where what is wanted fits no tensor, or makes no manifest.
    """
    outputs = {name: _ranked(spec, observed) for name, spec in frozen.outputs.items()}
    inputs, outputs = _batched(dict(frozen.inputs), outputs, observed)
    told = wanted_entries(inputs, outputs, wanted, observed)
    inputs = {name: _sized(spec, told["inputs"].get(name, {}).get("columns")) for name, spec in inputs.items()}
    outputs = {name: _sized(spec, told["outputs"].get(name, {}).get("labels")) for name, spec in outputs.items()}
    labels = _labels_apart(told["outputs"])
    signature: dict[str, Any] = {"inputs": _entries(inputs), "outputs": _entries(outputs)}
    if frozen.constants:
        signature["constants"] = dict(frozen.constants)
    content: dict[str, Any] = {"format": 1, "name": request.name}
    content |= {"description": wanted.description} if wanted.description else {}
    content |= {"requires_ops": list(request.op_libraries)} if request.op_libraries else {}
    content |= {"init_ops": list(frozen.init_ops)} if frozen.init_ops else {}
    content |= {"signatures": {"predict": signature}}
    content |= {"contract": {"version": 1} | {key: value for key, value in told.items() if value}}
    content |= {"warmup": {"file": "warmup.jsonl"}}
    limits = _limits(observed) | dict(wanted.limits)
    content |= {"limits": limits} if limits else {}
    if request.contract is not None:
        _check(content, request.contract)
    return content, labels


def _check(content: Mapping[str, Any], contract: Path) -> None:
    try:
        checked(Manifest, content, f"--contract {contract}")
    except LoadError as err:
        raise SourceError(str(err)) from err


def unbatched(manifest: Mapping[str, Any]) -> list[str]:
    """Return the tensors whose first dimension keeps a manifest's signature from serving batches; none when it does."""
    signature = manifest["signatures"]["predict"]
    sides = (*signature["inputs"].items(), *signature["outputs"].items())
    first = {name: (entry.get("shape") or ["none"])[0] for name, entry in sides}
    fixed = [name for name, dim in first.items() if dim not in (BATCH, None)]
    return fixed or [name for name, dim in first.items() if dim != BATCH]


def _ranked(spec: TensorSpec, observed: Observed) -> TensorSpec:
    """Return the spec with the rank that its answers had, where the graph does not tell it."""
    ranks = {outputs[spec.name].ndim for _, outputs in observed}
    if spec.shape is not None or len(ranks) != 1:
        return spec
    return replace(spec, shape=(None,) * ranks.pop())


def _batched(
    inputs: dict[str, TensorSpec], outputs: dict[str, TensorSpec], observed: Observed
) -> tuple[dict[str, TensorSpec], dict[str, TensorSpec]]:
    """Name every first dimension `batch` when all are free and were equal in each call, else none."""
    free = all(spec.shape and spec.shape[0] is None for spec in (*inputs.values(), *outputs.values()))
    for fed, answered in observed:
        free = free and len({len(array) if array.ndim else -1 for array in (*fed.values(), *answered.values())}) == 1
    if not free:
        return inputs, outputs
    return {name: _named(spec) for name, spec in inputs.items()}, {name: _named(spec) for name, spec in outputs.items()}


def _named(spec: TensorSpec) -> TensorSpec:
    assert spec.shape is not None
    return replace(spec, shape=(BATCH, *spec.shape[1:]))


def _sized(spec: TensorSpec, names: Sequence[str] | None) -> TensorSpec:
    """Return the spec of a row that has a name for each value, so that its size is known."""
    if names is None or spec.shape is None or spec.instance_shape != (None,):
        return spec
    return replace(spec, shape=(*spec.shape[:-1], len(names)))


def _labels_apart(outputs: dict[str, Any]) -> list[str]:
    """Take the names of the one output that has labels out of its entry, for a file; several keep their own."""
    entries = [entry for entry in outputs.values() if entry.get("labels")]
    if len(entries) != 1:
        return []
    labels, entries[0]["labels"] = list(entries[0]["labels"]), LABELS_FILE
    return labels


def _entries(specs: Specs) -> dict[str, Any]:
    return {name: _entry(spec) for name, spec in specs.items()}


def _entry(spec: TensorSpec) -> dict[str, Any]:
    entry: dict[str, Any] = {"tensor": spec.tensor, "dtype": spec.dtype}
    if spec.shape is not None:
        entry["shape"] = list(spec.shape)
    return entry | ({"optional": True} if spec.optional else {})


def _limits(observed: Observed) -> dict[str, int]:
    """Allow calls as large as those that were tried, where the default would refuse them."""
    largest = max(array.size for inputs, _ in observed for array in inputs.values())
    return {"max_elements": largest} if largest > Limits.max_elements else {}
