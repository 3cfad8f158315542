"""How predictions are shown: JSON, JSON lines, CSV, or a table for people."""

from __future__ import annotations

import base64
import csv
import json
import math
from collections.abc import Callable, Sequence
from io import StringIO
from typing import Any

from soapsvc.predict.run import Prediction

Writer = Callable[[Sequence[Prediction]], str]


def as_json(predictions: Sequence[Prediction]) -> str:
    """Return a list with one object for each instance: its answer, or its `error`."""
    objects = [_object(each) for each in predictions]
    return json.dumps(objects, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def as_json_lines(predictions: Sequence[Prediction]) -> str:
    """Return the same objects, one a line."""
    return "".join(json.dumps(_object(each), allow_nan=False, ensure_ascii=False) + "\n" for each in predictions)


def as_csv(predictions: Sequence[Prediction]) -> str:
    """Return a row for each instance; of scored labels the best one, lists and tensors as JSON."""
    rows = [_flat(each) for each in predictions]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_table(predictions: Sequence[Prediction], width: int | None = None) -> str:
    """Return a table as wide as the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    objects = [_object(each) for each in predictions]
    columns = list(dict.fromkeys(name for each in objects for name in each))
    table = Table("instance", *columns)
    for prediction, values in zip(predictions, objects, strict=True):
        cells = [_short(values[name]) if name in values else "" for name in columns]
        table.add_row(*map(Text, (prediction.where, *cells)))
    console = Console(width=width)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


FORMATS: dict[str, Writer] = {"json": as_json, "jsonl": as_json_lines, "csv": as_csv, "table": as_table}


_SCORED = {"label", "score"}


def _object(prediction: Prediction) -> dict[str, Any]:
    if prediction.answer is None:
        return {"error": prediction.error}
    return {name: _jsonable(value) for name, value in prediction.answer.items()}


def _jsonable(value: Any) -> Any:
    """Return a value as JSON holds it: bytes as base64, NaN and infinity as the service spells them."""
    if isinstance(value, dict):
        return {name: _jsonable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_jsonable(each) for each in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "INF" if value > 0 else "-INF"
    return value


def _scored(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and set(value[0]) == _SCORED


def _flat(prediction: Prediction) -> dict[str, Any]:
    row: dict[str, Any] = {"instance": prediction.where}
    for name, value in _object(prediction).items():
        if _scored(value):
            row |= {name: value[0]["label"], f"{name}.score": value[0]["score"]}
        elif isinstance(value, bool):
            row[name] = str(value).lower()
        else:
            row[name] = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
    return row


def _short(value: Any) -> str:
    if _scored(value):
        return ", ".join(f"{each['label']} {each['score']:.4g}" for each in value[:3])
    if isinstance(value, dict) and "dtype" in value:
        return f"{value['dtype']} {value['shape']}"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, bool | list | dict) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
