"""What a path holds: which kind of trained model a user has handed us, whichever of its files he named.

Looks at names and at a few first bytes only; reading the model is the work of others.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class SourceError(Exception):
    """A source can't be used; the message says what was expected, what came and what to do."""


class SourceKind(Enum):
    """The kinds of source, in the words that messages use."""

    CHECKPOINT = "checkpoint"
    META_GRAPH = "meta graph with its checkpoint"
    SAVED_MODEL = "SavedModel"
    KERAS = "Keras file"  # .keras, Keras 3
    KERAS_H5 = "Keras HDF5 file"  # .h5, .hdf5, Keras 2 or 3
    FROZEN_GRAPH = "frozen graph"
    TEXT_GRAPH = "graph in text form"
    MODEL_FOLDER = "model folder"


@dataclass(frozen=True)
class Source:
    """A source that was recognised.

    path: what readers take: a checkpoint's prefix, a SavedModel's or model's folder, else the file.
    note: what was taken in place of the path given, empty when it was that path.
    prefix: a checkpoint's prefix as TensorFlow takes it; it ends in a slash where the files are `.index`, `.meta`, …
    """

    kind: SourceKind
    path: Path
    note: str = ""
    prefix: str = ""

    def part(self, ending: str) -> Path:
        """Return the checkpoint's file with this ending, as `.meta`."""
        return Path(f"{self.prefix}{ending}")

    def parts(self) -> list[Path]:
        """Return all of the checkpoint's files."""
        folder, start = os.path.split(self.prefix)
        ends = (f"{start}.index", f"{start}.meta", f"{start}.data-")
        return sorted(path for path in Path(folder).iterdir() if path.name.startswith(ends))


_BY_SUFFIX = {
    ".keras": SourceKind.KERAS,
    ".h5": SourceKind.KERAS_H5,
    ".hdf5": SourceKind.KERAS_H5,
    ".pb": SourceKind.FROZEN_GRAPH,
    ".pbtxt": SourceKind.TEXT_GRAPH,
}


def find_source(given: Path) -> Source:
    """Return what a path holds. Raises SourceError.

    A folder may be a SavedModel, one of our model folders, or hold a file named `checkpoint`. Of a checkpoint any
    file will do: its `.meta`, its `.index`, one of its `.data-…`, or the prefix that stands for all.
    """
    if given.is_dir():
        return _in_folder(given)
    checkpoint = _checkpoint(given)
    if checkpoint is not None:
        return checkpoint
    if not given.is_file():
        raise SourceError(f"there is no {given}; expected a checkpoint, SavedModel, .keras, .h5, .pb or model folder")
    if given.name in ("saved_model.pb", "saved_model.pbtxt"):
        return Source(SourceKind.SAVED_MODEL, given.parent, f"took the SavedModel in {given.parent}")
    if given.name == "model.yaml":
        return Source(SourceKind.MODEL_FOLDER, given.parent, f"took the model folder {given.parent}")
    kind = _BY_SUFFIX.get(given.suffix.lower())
    if kind is None:
        suffixes = ", ".join(_BY_SUFFIX)
        raise SourceError(f"{given}: unknown kind of file; expected {suffixes}, a checkpoint's file, or a folder")
    return Source(kind, given)


def _in_folder(folder: Path) -> Source:
    if (folder / "saved_model.pb").is_file() or (folder / "saved_model.pbtxt").is_file():
        return Source(SourceKind.SAVED_MODEL, folder)
    if (folder / "model.yaml").is_file():
        return Source(SourceKind.MODEL_FOLDER, folder)
    indexes = sorted(folder.glob("*.index"))
    if len(indexes) == 1:
        found = _checkpoint(indexes[0])
        assert found is not None
        return found
    if indexes:
        names = ", ".join(path.stem for path in indexes)
        raise SourceError(f"{folder} holds several checkpoints: {names}; name one, as {indexes[-1].with_suffix('')}")
    raise SourceError(f"{folder}: expected a SavedModel (saved_model.pb), a model folder (model.yaml) or a checkpoint")


def _checkpoint(given: Path) -> Source | None:
    """Return the checkpoint that a path is, or is a file of; None when it is none."""
    name = re.sub(r"(\.index|\.meta|\.data-.*)$", "", given.name)
    prefix = str(given.with_name(name)) if name else f"{given.parent}{os.sep}"
    if not Path(f"{prefix}.index").is_file():
        if name != given.name:
            raise SourceError(f"{given}: expected {name}.index beside it; copy all files of the checkpoint")
        return None
    kind = SourceKind.META_GRAPH if Path(f"{prefix}.meta").is_file() else SourceKind.CHECKPOINT
    return Source(kind, Path(prefix), "" if name == given.name else f"took the checkpoint {prefix}", prefix)
