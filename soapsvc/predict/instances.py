"""Instances out of files: JSON, JSON lines, CSV, `.npz`, pictures, text. Each knows where it stands."""

from __future__ import annotations

import csv
import json
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np

from soapsvc.authoring.source import SourceError
from soapsvc.model.contract import InputField
from soapsvc.model.dtypes import Array
from soapsvc.predict.service import Form
from soapsvc.predict.values import Cell

STDIN = Path("-")
FORMATS = ("json", "jsonl", "csv", "npz", "image", "text")
_IMAGES = {".png", ".jpg", ".jpeg", ".jpe", ".gif", ".bmp", ".tif", ".tiff", ".webp"}
_BY_SUFFIX = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".npz": "npz", ".txt": "text"}
_BY_SUFFIX |= dict.fromkeys(_IMAGES, "image")


@dataclass(frozen=True)
class Instance:
    """One instance. where: as messages name it, `row 17 of flowers.csv`. values: element -> raw value."""

    where: str
    values: Mapping[str, Any]


def read_instances(paths: Sequence[Path], format_: str | None, form: Form) -> Iterator[Instance]:
    """Yield the instances of files and of folders of pictures, in order. Raises SourceError.

    format_: one of FORMATS, None to go by each file's suffix.
    """
    for path in _files(paths):
        name = "standard input" if path == STDIN else path.name
        kind = format_ or _BY_SUFFIX.get(path.suffix.lower())
        if kind == "image" and path != STDIN:
            yield Instance(name, {_only(form, "image", name).element: path})
            continue
        content = _content(path)
        kind = kind or _sniffed(content, name)
        yield from _READERS[kind](content, name, form)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        pictures = sorted(each for each in path.iterdir() if each.suffix.lower() in _IMAGES)
        if not pictures:
            raise SourceError(
                f"{path}: expected a folder that holds pictures ({', '.join(sorted(_IMAGES))}), found none"
            )
        yield from pictures


def _content(path: Path) -> bytes:
    if path == STDIN:
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as err:
        raise SourceError(f"{path}: can't be read: {err.strerror or err}") from err


def _sniffed(content: bytes, name: str) -> str:
    begins = {b"\x89PNG": "image", b"\xff\xd8\xff": "image", b"PK\x03\x04": "npz", b"{": "json", b"[": "json"}
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    for prefix, kind in begins.items():
        if start.startswith(prefix):
            return kind
    raise SourceError(f"{name}: unknown kind of file; say which with --format {'|'.join(FORMATS)}")


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise SourceError(f"{name}: expected UTF-8, found another byte at {err.start}; save it as UTF-8") from err


def _only(form: Form, kind: str, name: str) -> InputField:
    """Return the model's one picture, or its one text. Raises SourceError when there is none, or more than one."""
    found = [
        field for field in form.inputs
        if (field.kind == "image" if kind == "image" else field.dtype == "string" and field.kind in ("text", "scalar"))
    ]  # fmt: skip
    if len(found) != 1:
        what = "picture" if kind == "image" else "text"
        inputs = ", ".join(f"{field.element} ({field.kind})" for field in form.inputs)
        raise SourceError(f"{name}: expected a model with one {what} as input, this one takes {inputs}; send JSON")
    return found[0]


def text_instances(texts: Sequence[str], form: Form) -> Iterator[Instance]:
    """Yield an instance for each text given as an argument."""
    for index, text in enumerate(texts, start=1):
        where = "--input-text" if len(texts) == 1 else f"--input-text {index}"
        yield Instance(where, {_only(form, "text", where).element: text})


def _lines(content: bytes, name: str, form: Form) -> Iterator[Instance]:
    element = _only(form, "text", name).element
    text = _text(content, name)
    lines = text.removesuffix("\n").split("\n") if text else []  # splitlines would cut at U+2028 inside a text
    for number, line in enumerate(lines, start=1):
        yield Instance(f"line {number} of {name}", {element: line.removesuffix("\r")})


def _picture(content: bytes, name: str, form: Form) -> Iterator[Instance]:
    yield Instance(name, {_only(form, "image", name).element: content})


def _json(content: bytes, name: str, form: Form) -> Iterator[Instance]:
    text = _text(content, name)
    try:
        found = json.loads(text)
    except ValueError as err:
        if "\n" in text.strip() and text.lstrip().startswith("{"):
            yield from _json_lines(content, name, form)
            return
        raise SourceError(f"{name}: expected JSON: {err}") from err
    instances = found if isinstance(found, list) else [found]
    for number, values in enumerate(instances, start=1):
        where = f"instance {number} of {name}" if isinstance(found, list) else name
        yield Instance(where, _members(values, where))


def _json_lines(content: bytes, name: str, form: Form) -> Iterator[Instance]:
    for number, line in enumerate(_text(content, name).split("\n"), start=1):
        if line.strip():
            where = f"line {number} of {name}"
            try:
                values = json.loads(line)
            except ValueError as err:
                raise SourceError(f"{where}: expected JSON: {err}") from err
            yield Instance(where, _members(values, where))


def _members(values: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(values, dict):
        raise SourceError(f'{where}: expected an object of the contract\'s elements, as {{"petalLength": 1.4}}')
    return values


def _csv(content: bytes, name: str, form: Form) -> Iterator[Instance]:
    csv.field_size_limit(2**31 - 1)  # a picture in base64 is longer than the 128 KiB it allows
    rows = csv.reader(StringIO(_text(content, name), newline=""), strict=True)
    known = [field.element for field in form.inputs]
    try:
        header = next(rows, [])
        if not header or len(set(header)) != len(header) or set(header) - set(known):
            came = ", ".join(header) or "nothing"
            raise SourceError(f"{name}: expected a header row of names out of {', '.join(known)}, found {came}")
        for number, cells in enumerate((row for row in rows if row), start=1):
            where = f"row {number} of {name}"
            if len(cells) != len(header):
                raise SourceError(f"{where}: expected {len(header)} cells, found {len(cells)}")
            yield Instance(where, {key: Cell(cell) for key, cell in zip(header, cells, strict=True)})
    except csv.Error as err:
        raise SourceError(f"{name}: line {rows.line_num}: expected CSV as RFC 4180 has it: {err}") from err


def _npz(content: bytes, name: str, form: Form) -> Iterator[Instance]:
    try:
        with np.load(BytesIO(content), allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as err:
        raise SourceError(f"{name}: expected an .npz of numpy arrays without Python objects") from err
    fields = {key: _fields_of(key, form, name) for key in arrays}
    if not form.batched:
        yield Instance(name, _instance(arrays, fields))
        return
    counts = {key: len(array) if array.ndim else 0 for key, array in arrays.items()}
    if len(set(counts.values())) != 1:
        raise SourceError(f"{name}: expected arrays with one first dimension, the batch; found {counts}")
    for index in range(next(iter(counts.values()))):
        one = {key: array[index] for key, array in arrays.items()}
        yield Instance(f"instance {index + 1} of {name}", _instance(one, fields))


def _fields_of(key: str, form: Form, name: str) -> list[InputField]:
    """Return the fields that an array fills: those of the tensor it is named after, or the element."""
    fields = [field for field in form.inputs if field.tensor == key]
    fields = fields or [field for field in form.inputs if field.element == key]
    if not fields:
        known = ", ".join(dict.fromkeys(field.tensor for field in form.inputs))
        raise SourceError(f"{name}: there is no input {key}; expected arrays named {known}")
    return fields


def _instance(arrays: Mapping[str, Array], fields: Mapping[str, Sequence[InputField]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, array in arrays.items():
        for field in fields[key]:
            whole = field.column is None or field.tensor != key
            if not whole and (np.ndim(array) != 1 or len(array) != len(fields[key])):
                raise SourceError(f"{key}: expected {len(fields[key])} values an instance, found {np.shape(array)}")
            values[field.element] = np.asarray(array if whole else array[field.column])
    return values


_READERS: dict[str, Callable[[bytes, str, Form], Iterator[Instance]]] = {
    "json": _json, "jsonl": _json_lines, "csv": _csv, "npz": _npz, "image": _picture, "text": _lines,
}  # fmt: skip
