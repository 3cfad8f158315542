"""Model folders and graphs that the tests of the model container write: small, and wrong where a test wants it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from soapsvc.errors import LoadError
from soapsvc.model.manifest import Manifest, read_manifest
from soapsvc.model.source import VersionFolder

DOUBLE: dict[str, Any] = {
    "format": 1,
    "name": "double",
    "signatures": {
        "predict": {
            "inputs": {"x": {"tensor": "x:0", "dtype": "float32", "shape": ["batch", 2]}},
            "outputs": {"y": {"tensor": "y:0", "dtype": "float32", "shape": ["batch", 2]}},
        }
    },
}
GOLDEN = {"inputs": {"x": [[1.0, 2.0]]}, "outputs": {"y": [[2.0, 4.0]]}}


def changed(manifest: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of manifest with the key at a dotted path set; keys on the way are made."""
    copied = copy.deepcopy(manifest)
    *way, last = path.split(".")
    inner = copied
    for step in way:
        inner = inner.setdefault(step, {})
    inner[last] = value
    return copied


def without(manifest: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a copy of manifest that lacks the key at a dotted path."""
    copied = copy.deepcopy(manifest)
    *way, last = path.split(".")
    inner = copied
    for step in way:
        inner = inner[step]
    del inner[last]
    return copied


def write_version(
    models: Path, manifest: dict[str, Any], graph: bytes, *, version: int = 1, folder: str = "", **files: str
) -> VersionFolder:
    """Write models/<folder or the manifest's name>/<version>; files: labels="…" becomes labels.txt."""
    name = folder or manifest["name"]
    path = models / name / str(version)
    path.mkdir(parents=True)
    (path / "model.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    (path / "model.pb").write_bytes(graph)
    for file, content in files.items():
        (path / {"labels": "labels.txt", "warmup": "warmup.jsonl"}[file]).write_bytes(content.encode())
    return VersionFolder(name, version, path)


def jsonl(*calls: Any) -> str:
    """Return golden calls as a warmup.jsonl has them."""
    return "".join(json.dumps(call) + "\n" for call in calls)


def graph_bytes(build: Callable[[Any], None]) -> bytes:
    """Return the serialized GraphDef that build makes; it is called with tensorflow.compat.v1."""
    return bytes(graph_def(build).SerializeToString())


def graph_def(build: Callable[[Any], None]) -> Any:
    """Return the GraphDef that build makes; it is called with tensorflow.compat.v1."""
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        build(tf.compat.v1)
    return graph.as_graph_def()


def double_graph(v1: Any) -> None:
    """Build y = 2x over float32 (batch, 2)."""
    v1.multiply(v1.placeholder("float32", [None, 2], name="x"), 2.0, name="y")


def parse(folder: Path, content: str | bytes | dict[str, Any]) -> Manifest:
    """Return what read_manifest makes of a text, of bytes, or of keys and values."""
    path = folder / "model.yaml"
    text = yaml.safe_dump(content) if isinstance(content, dict) else content
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_manifest(path, "double/1/model.yaml")


def reason(call: Callable[[], Any]) -> str:
    """Return the message of the LoadError that call must raise."""
    try:
        call()
    except LoadError as err:
        return str(err)
    raise AssertionError("no LoadError was raised")
