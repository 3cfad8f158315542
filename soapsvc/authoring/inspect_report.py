"""What an inspection prints: the summary and the lists asked for, as text or as JSON. Writes no files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from soapsvc.authoring.inspect_summary import Inspected, NamedTensor, Operation, Shape, StoredTensor, Summary
from soapsvc.model.dtypes import Array

Statistics = dict[str, float | None]
_MANY = 12  # suggestions beyond this many are counted, not listed


def statistics(values: Array) -> Statistics:
    """Return min, mean, max and the share of zeros (0 to 1); None for strings, empty tensors and NaN."""
    if values.dtype.kind in "OSU" or not values.size:
        return dict.fromkeys(("min", "mean", "max", "zeros"))
    numbers = values.astype(np.float64) if values.dtype.kind != "c" else np.abs(values)
    found = {
        "min": float(numbers.min()),
        "mean": float(numbers.mean()),
        "max": float(numbers.max()),
        "zeros": float(np.count_nonzero(numbers == 0) / numbers.size),
    }
    return {name: value if math.isfinite(value) else None for name, value in found.items()}


def as_json(found: Summary, sections: dict[str, Any]) -> str:
    """Return the summary and the sections as one JSON object. Sections: see `section`."""
    plain = asdict(found)
    for left_out in ("tensors", "operations", "variables"):
        del plain[left_out]
    plain["parameters"] = found.parameters
    plain["tensor_count"], plain["operation_count"] = len(found.tensors), len(found.operations)
    return json.dumps(plain | sections, indent=2, default=_plain, allow_nan=False, ensure_ascii=False) + "\n"


def as_text(found: Summary) -> str:
    """Return the summary for a reader."""
    return "".join(f"{line}\n" for line in _lines(found))


def stored(inspected: Inspected, tensors: Iterable[StoredTensor], with_values: bool) -> Iterator[dict[str, Any]]:
    """Yield a row for each tensor; with_values adds its statistics, which reads it."""
    for each in tensors:
        row = {"name": each.name, "dtype": each.dtype, "shape": each.shape, "trainable": each.trainable}
        row |= {"role": each.role, "variable": each.variable}
        yield row | statistics(inspected.read(each.name)) if with_values else row


def operation_rows(operations: Iterable[Operation]) -> list[dict[str, Any]]:
    """Return a row for each operation."""
    return [asdict(each) for each in operations]


def table(title: str, rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as aligned columns under a title; columns that are empty in all rows are left out."""
    if not rows:
        return f"\n{title}: none\n"
    columns = [name for name in rows[0] if any(row[name] not in (None, "", ()) for row in rows)]
    cells = [columns, *([_cell(name, row[name]) for name in columns] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return f"\n{title} ({len(rows)}):\n" + "".join(f"  {line}\n" for line in lines)


def values_text(values: Array) -> str:
    """Return a tensor's values, all of them."""
    if values.dtype.kind == "O" and not values.ndim:
        return f"{values.item()!r}\n"
    with np.printoptions(threshold=max(values.size, 1) + 1, linewidth=110):
        return f"{values}\n"


def plain_values(values: Array) -> Any:
    """Return a tensor's values as JSON can hold them: strings as text, NaN and infinity as their names."""
    return _finite(values.tolist() if values.dtype.name != "bfloat16" else values.astype(np.float32).tolist())


def show_shape(shape: Shape) -> str:
    """Return a shape as messages write it: [?, 3], or `unknown rank`."""
    return "unknown rank" if shape is None else f"[{', '.join('?' if size is None else str(size) for size in shape)}]"


def _lines(found: Summary) -> Iterator[str]:
    yield f"{found.what}"
    yield f"  path        {found.path}{f'  ({found.taken})' if found.taken else ''}"
    yield f"  written by  {', '.join(found.written_by) or 'not recorded'}"
    yield f"  size        {found.size_bytes:,} bytes"
    yield f"  parameters  {_parameters(found)}"
    yield f"  {found.operations_are:<11} {len(found.operations):,}"
    for signature in found.signatures:
        yield f"\nsignature {signature.name!r}:"
        yield from (f"  input   {_tensor(each)}" for each in signature.inputs)
        yield from (f"  output  {_tensor(each)}" for each in signature.outputs)
    for title, tensors in (("inputs", found.inputs), ("outputs", found.outputs)):
        yield f"\nsuggested {title}:{'' if tensors else ' none found'}"
        yield from (f"  {each.tensor}  {each.dtype} {show_shape(each.shape)}  - {each.why}" for each in tensors[:_MANY])
        if len(tensors) > _MANY:
            yield f"  and {len(tensors) - _MANY} more; --json lists all"
    if found.notes:
        yield ""
        yield from (f"note: {note}" for note in found.notes)


def _parameters(found: Summary) -> str:
    if not found.variables:
        return f"{found.parameters:,} in floating-point constants"
    words = [f"{found.parameters:,} in {len(found.weights)} variables"]
    if found.weights and all(each.trainable is not None for each in found.weights):
        words.append(f"{sum(each.elements for each in found.weights if each.trainable):,} of them trainable")
    slots = sum(each.elements for each in found.tensors if each.role == "optimizer")
    if slots:
        words.append(f"and {slots:,} values of the optimizer, which freezing drops")
    return ", ".join(words)


def _tensor(each: NamedTensor) -> str:
    return f"{each.name}: {each.dtype} {show_shape(each.shape)}  ({each.tensor})"


def _cell(column: str, value: Any) -> str:
    if column == "zeros" and value is not None:
        return f"{value:.1%}"
    if isinstance(value, tuple):
        return show_shape(value) if column == "shape" else ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return _plain(value) if isinstance(value, bytes | complex) else value


def _plain(value: object) -> object:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
