"""Writing a model folder: model.pb, model.yaml, labels.txt and warmup.jsonl, all of them or none.

Owns the files' names and encodings. Knows nothing of where the graph came from; does not check the manifest
against it.
"""

import base64
import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import yaml

GRAPH_FILE = "model.pb"
MANIFEST_FILE = "model.yaml"
LABELS_FILE = "labels.txt"
WARMUP_FILE = "warmup.jsonl"


def write_folder(
    folder: Path,
    *,
    graph_def: Any,
    manifest: Mapping[str, Any],
    labels: Sequence[str] = (),
    warmup: Sequence[Mapping[str, Any]] = (),
    force: bool = False,
) -> None:
    """Write a model folder such as models/iris/1 in one step, so that no reader sees half of it.

    graph_def: the frozen GraphDef.
    manifest:  the content of model.yaml; its `graph` entry (file, sha256) is filled in here.
    labels:    class names in the order of the output's columns; no file when empty.
    warmup:    `{"inputs": {name: value}, "outputs": {name: value}}` for each call recorded, where a value is
               an array with its batch dimension, or nested lists. Write text as str, other strings as bytes.
    force:     replace a folder that exists.

    Raises FileExistsError unless force; whatever is raised, the disk is as it was.
    """
    if folder.exists() and not force:
        raise FileExistsError(f"{folder} exists; write the next version, or replace this one with --force")
    files = _encode(graph_def.SerializeToString(deterministic=True), manifest, labels, warmup)
    with _parents(folder):
        _replace(folder, files)


def _encode(
    graph: bytes, manifest: Mapping[str, Any], labels: Sequence[str], warmup: Sequence[Mapping[str, Any]]
) -> dict[str, bytes]:
    """The folder's files, name -> content; what is wrong with the values shows here, before any file."""
    entry = {"file": GRAPH_FILE, "sha256": hashlib.sha256(graph).hexdigest()}
    head = {key: manifest[key] for key in ("format", "name", "description") if key in manifest}
    files = {
        GRAPH_FILE: graph,
        MANIFEST_FILE: _yaml(head | {"graph": entry} | dict(manifest) | {"graph": entry}),
    }
    if labels:
        files[LABELS_FILE] = "".join(f"{label}\n" for label in labels).encode()
    if warmup:
        files[WARMUP_FILE] = "".join(f"{_json(line)}\n" for line in warmup).encode()
    return files


def _yaml(manifest: Mapping[str, Any]) -> bytes:
    """Block style with the innermost collections in flow style, keys in the order given."""
    text: str = yaml.safe_dump(dict(manifest), sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    return text.encode()


def _json(line: Mapping[str, Any]) -> str:
    """One JSON object; NaN and infinity are refused."""
    return json.dumps(line, default=_plain, ensure_ascii=False, allow_nan=False)


def _plain(value: object) -> object:
    """What json cannot write: arrays as nested lists, bytes as TensorFlow Serving's {"b64": …}."""
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    if isinstance(value, np.floating):
        return float(str(value))  # the shortest digits that read back as this float32
    if isinstance(value, np.ndarray | np.generic):
        return list(value) if isinstance(value, np.ndarray) and value.ndim else value.item()
    raise TypeError(f"a warm-up value must be an array, list, number, str or bytes, not {type(value).__name__}")


@contextmanager
def _parents(folder: Path) -> Iterator[None]:
    """Make the folders above, and take the new ones away again if the block fails."""
    missing = [parent for parent in folder.parents if not parent.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):  # another writer may have put something there
            for parent in missing:
                parent.rmdir()
        raise


def _replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files beside folder, then move them into its place.

    The hidden names are no version numbers, so a server that looks at models/<name>/ passes over them.
    """
    mark = uuid.uuid4().hex
    fresh = folder.with_name(f".{folder.name}.{mark}.new")
    stale = folder.with_name(f".{folder.name}.{mark}.old")
    try:
        fresh.mkdir()
        for name, content in files.items():
            (fresh / name).write_bytes(content)
        if folder.exists():
            folder.rename(stale)
        fresh.rename(folder)
    except BaseException:
        if stale.exists():
            stale.rename(folder)
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    shutil.rmtree(stale, ignore_errors=True)
