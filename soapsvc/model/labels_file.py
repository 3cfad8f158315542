"""`<models>/<name>/labels.yaml`: labels that an operator moves while the server runs. Owns reading and writing it."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path

import yaml

from soapsvc.errors import LoadError
from soapsvc.model.source import MANIFEST
from soapsvc.model.yaml_file import load_yaml

LABELS_FILE = "labels.yaml"
_LABEL = re.compile(r"[a-z][a-z0-9-]{0,62}")


def read_labels(models: Path, name: str) -> dict[str, int]:
    """Return label -> version as a model's file has it, {} without a file. Raises LoadError at one that is wrong."""
    shown_as = f"{name}/{LABELS_FILE}"
    try:
        content = load_yaml(models / name / LABELS_FILE, shown_as)
    except LoadError as err:
        if isinstance(err.__cause__, FileNotFoundError):
            return {}
        raise LoadError(f"{err}; the labels stay where they are") from err
    labels = {} if content is None else content
    if not isinstance(labels, dict) or not all(_is_entry(label, version) for label, version in labels.items()):
        raise LoadError(
            f"{shown_as}: expected a label and a version on each line, as `stable: 1`; the labels stay where they are"
        )
    return labels


def write_label(models: Path, name: str, label: str, version: int) -> int | None:
    """Set one label in a model's file, which appears whole or not at all; return where it was set before.

    Raises LoadError: no such version, not a label, the file can't be read or written.
    """
    if not _is_entry(label, version):
        raise LoadError(f"{label}: expected a label of the form {_LABEL.pattern} and a version of 1 or more")
    if not (models / name / str(version) / MANIFEST).is_file():
        raise LoadError(f"{models / name} has no version {version}; nothing was changed")
    labels = read_labels(models, name)
    before = labels.get(label)
    path = models / name / LABELS_FILE
    fresh = path.with_name(f".{LABELS_FILE}.{uuid.uuid4().hex}.new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            yaml.safe_dump(labels | {label: version}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as err:
        raise LoadError(f"{path}: can't be written: {err.strerror}; nothing was changed") from err
    finally:
        fresh.unlink(missing_ok=True)
    return before


def _is_entry(label: object, version: object) -> bool:
    named = isinstance(label, str) and _LABEL.fullmatch(label) is not None
    return named and isinstance(version, int) and not isinstance(version, bool) and version > 0
