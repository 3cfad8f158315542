"""From a frozen signature to the content of model.yaml: dimensions named, contract entries for labels and columns.

Owns what a manifest written by `freeze` says; `soapsvc.model.manifest` owns what any may say. Imports no TensorFlow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from soapsvc.authoring.freeze_request import Request
from soapsvc.authoring.freeze_result import Arrays, Frozen
from soapsvc.authoring.source import SourceError
from soapsvc.model.contract import JAVA_WORDS
from soapsvc.model.dtypes import FLOATS
from soapsvc.model.signature import BATCH, Limits, TensorSpec, show_shape

Observed = Sequence[tuple[Arrays, Arrays]]  # inputs and outputs of calls
Specs = Mapping[str, TensorSpec]


def manifest_of(frozen: Frozen, request: Request, labels: Sequence[str], observed: Observed) -> dict[str, Any]:
    """Return the content of model.yaml. Raises SourceError where labels or columns fit no tensor."""
    outputs = {name: _ranked(spec, observed) for name, spec in frozen.outputs.items()}
    inputs, outputs = _batched(dict(frozen.inputs), outputs, observed)
    contract: dict[str, Any] = {"version": 1, "inputs": _elements(inputs), "outputs": _elements(outputs)}
    if labels:
        name = _labelled(outputs, len(labels), observed)
        outputs[name] = _sized(outputs[name], len(labels))
        contract["outputs"].setdefault(name, {}).update({"as": "scoredLabels", "labels": "labels.txt"})
    if request.columns:
        name = _columned(inputs, request.columns)
        inputs[name] = _sized(inputs[name], len(request.columns))
        contract["inputs"][name] = {"columns": list(request.columns)}
    signature: dict[str, Any] = {"inputs": _entries(inputs), "outputs": _entries(outputs)}
    if frozen.constants:
        signature["constants"] = dict(frozen.constants)
    content: dict[str, Any] = {"format": 1, "name": request.name}
    content |= {"description": request.description} if request.description else {}
    content |= {"requires_ops": list(request.op_libraries)} if request.op_libraries else {}
    content |= {"init_ops": list(frozen.init_ops)} if frozen.init_ops else {}
    content |= {
        "signatures": {"predict": signature},
        "contract": {key: value for key, value in contract.items() if value},
    }
    return content | {"warmup": {"file": "warmup.jsonl"}} | _limits(observed)


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


def _sized(spec: TensorSpec, size: int) -> TensorSpec:
    assert spec.shape is not None
    return replace(spec, shape=(*spec.shape[:-1], size))


def _elements(specs: Specs) -> dict[str, Any]:
    """Return an `element` for each tensor whose own name can't be one: no letter first, or a word of Java's."""
    elements = {}
    for index, name in enumerate(specs):
        if name in JAVA_WORDS:
            elements[name] = {"element": f"{name}Value"}
        elif not re.match(r"_*[A-Za-z]", name):
            elements[name] = {"element": f"tensor{index}"}
    return elements


def _labelled(outputs: Specs, count: int, observed: Observed) -> str:
    """Return the one float output that has a score for each label."""
    fits = [
        name
        for name, spec in outputs.items()
        if spec.dtype in FLOATS
        and len(spec.instance_shape or ()) == 1
        and all(answered[name].shape[-1] == count for _, answered in observed)
    ]
    if len(fits) != 1:
        shown = ", ".join(f"{name} {spec.dtype} {show_shape(spec.shape)}" for name, spec in outputs.items())
        raise SourceError(
            f"--labels: {len(fits)} float outputs have one score for each of the {count} labels, expected 1; "
            f"the outputs are {shown}"
        )
    return fits[0]


def _columned(inputs: Specs, columns: Sequence[str]) -> str:
    """Return the one input that takes as many values as there are columns."""
    fits = [name for name, spec in inputs.items() if spec.instance_shape in ((len(columns),), (None,))]
    if len(fits) != 1:
        shown = ", ".join(f"{name} {show_shape(spec.shape)}" for name, spec in inputs.items())
        raise SourceError(
            f"--columns: {len(fits)} inputs take {len(columns)} values, expected 1; the inputs are {shown}"
        )
    return fits[0]


def _entries(specs: Specs) -> dict[str, Any]:
    return {name: _entry(spec) for name, spec in specs.items()}


def _entry(spec: TensorSpec) -> dict[str, Any]:
    entry: dict[str, Any] = {"tensor": spec.tensor, "dtype": spec.dtype}
    if spec.shape is not None:
        entry["shape"] = list(spec.shape)
    return entry | ({"optional": True} if spec.optional else {})


def _limits(observed: Observed) -> dict[str, Any]:
    """Allow calls as large as those that were tried, where the default would refuse them."""
    largest = max(array.size for inputs, _ in observed for array in inputs.values())
    return {"limits": {"max_elements": largest}} if largest > Limits.max_elements else {}
