"""The models that are served to the clients: the bundled ones, `kinds` of the tests, and `echo`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from interop.tools import run

ROOT = Path(__file__).parents[1]
_ECHO = """\
format: 1
name: echo
description: Answers the bytes that it was given, or as many as it was asked for, counting up from 0 to 250.
signatures:
  predict:
    inputs:
      x: {tensor: "x:0", dtype: uint8, shape: [batch, null]}
    outputs:
      y: {tensor: "y:0", dtype: uint8, shape: [batch, null]}
  fill:
    inputs:
      count: {tensor: "count:0", dtype: int32, shape: [batch]}
    outputs:
      y: {tensor: "filled:0", dtype: uint8, shape: [batch, null]}
limits: {max_batch: 1, max_elements: 30000000}
"""
MODELS = ("iris", "digits", "language", "kinds", "echo", "inference", "digit-reader", "chat")  # each with a contract


def build_models(folder: Path) -> Path:
    """Write the folder of models, unless it is there, and return it. Raises CannotRun."""
    if not folder.is_dir():
        half = folder.with_name(f"{folder.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(ROOT / "models", half)
        run([sys.executable, ROOT / "tests" / "kinds.py", half / "kinds" / "1"], ROOT)
        run([sys.executable, "-m", "interop.models", half / "echo" / "1"], ROOT)
        half.rename(folder)
    return folder


def _build_echo(folder: Path) -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        tf.identity(tf.compat.v1.placeholder("uint8", [None, None], name="x"), name="y")
        count = tf.compat.v1.placeholder("int32", [None], name="count")
        tf.cast(tf.range(count[0])[tf.newaxis] % 251, tf.uint8, name="filled")
    folder.mkdir(parents=True)
    (folder / "model.pb").write_bytes(graph.as_graph_def().SerializeToString())
    (folder / "model.yaml").write_text(_ECHO)


if __name__ == "__main__":
    _build_echo(Path(sys.argv[1]))
