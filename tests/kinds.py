"""The test model `kinds`: every way an input or an output can appear in a contract, every dtype, both ways.

Each output is its input, so that a test can see what arrived. Build it with `python tests/kinds.py FOLDER`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

MANIFEST = """\
format: 1
name: kinds
description: Answers what it was given, in every kind and dtype.
signatures:
  predict:
    inputs:
      flag: {tensor: "flag:0", dtype: bool, shape: [batch]}
      count: {tensor: "count:0", dtype: int32, shape: [batch]}
      total: {tensor: "total:0", dtype: int64, shape: [batch]}
      level: {tensor: "level:0", dtype: uint8, shape: [batch]}
      ratio: {tensor: "ratio:0", dtype: float64, shape: [batch]}
      offset: {tensor: "offset:0", dtype: float32, shape: [batch], optional: true}
      note: {tensor: "note:0", dtype: string, shape: [batch]}
      pair: {tensor: "pair:0", dtype: float64, shape: [batch, 2]}
      series: {tensor: "series:0", dtype: float32, shape: [batch, time]}
      codes: {tensor: "codes:0", dtype: int64, shape: [batch, null]}
      words: {tensor: "words:0", dtype: string, shape: [batch, null]}
      grid: {tensor: "grid:0", dtype: float32, shape: [batch, 2, 3]}
      picture: {tensor: "picture:0", dtype: uint8, shape: [batch, 2, 2, 3]}
    outputs:
      flag: {tensor: "flag_out:0", dtype: bool, shape: [batch]}
      count: {tensor: "count_out:0", dtype: int32, shape: [batch]}
      total: {tensor: "total_out:0", dtype: int64, shape: [batch]}
      level: {tensor: "level_out:0", dtype: uint8, shape: [batch]}
      ratio: {tensor: "ratio_out:0", dtype: float64, shape: [batch]}
      shifted: {tensor: "shifted:0", dtype: float32, shape: [batch]}
      note: {tensor: "note_out:0", dtype: string, shape: [batch]}
      scores: {tensor: "pair_out:0", dtype: float64, shape: [batch, 2]}
      series: {tensor: "series_out:0", dtype: float32, shape: [batch, time]}
      codes: {tensor: "codes_out:0", dtype: int64, shape: [batch, null]}
      words: {tensor: "words_out:0", dtype: string, shape: [batch, null]}
      grid: {tensor: "grid_out:0", dtype: float32, shape: [batch, 2, 3]}
      pixels: {tensor: "picture_out:0", dtype: uint8, shape: [batch, 2, 2, 3]}
    constants: {"factor:0": 2.0}
contract:
  inputs:
    pair: {columns: [left, right], description: "any number, NaN and INF too"}
    picture: {as: image, preprocess: {resize: nearest}}
  outputs:
    scores: {as: scoredLabels, labels: [left, right]}
    pixels: {as: tensor, content: true}
warmup: {}
limits: {max_batch: 8, max_elements: 100, max_text_bytes: 64, max_image_pixels: 4096, dims: {time: 5}}
"""

DTYPES = {
    "flag": "bool", "count": "int32", "total": "int64", "level": "uint8", "ratio": "float64", "note": "string",
    "pair": "float64", "series": "float32", "codes": "int64", "words": "string", "grid": "float32",
    "picture": "uint8",
}  # fmt: skip
SHAPES: dict[str, list[int | None]] = {
    "pair": [None, 2], "series": [None, None], "codes": [None, None], "words": [None, None],
    "grid": [None, 2, 3], "picture": [None, 2, 2, 3],
}  # fmt: skip
GOLDEN: dict[str, Any] = {
    "flag": [True], "count": [-3], "total": [2**40], "level": [200], "ratio": [0.1], "offset": [0.5],
    "note": ["你好 & <ü>"], "pair": [[0.25, 0.75]], "series": [[1.5, 2.5, 3.5]], "codes": [[7, 8]],
    "words": [["one", "two"]], "grid": [[[1, 2, 3], [4, 5, 6]]],
    "picture": [[[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]],
}  # fmt: skip


def build(folder: Path) -> None:
    """Write the model's version folder, as models/kinds/1."""
    folder.mkdir(parents=True)
    (folder / "model.pb").write_bytes(_graph())
    (folder / "model.yaml").write_text(MANIFEST)
    outputs = {name: GOLDEN[name] for name in ("flag", "count", "total", "level", "ratio", "note", "series", "grid")}
    calls = [{"inputs": GOLDEN, "outputs": outputs | {"scores": GOLDEN["pair"], "shifted": [1.0]}}]
    (folder / "warmup.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))


def _graph() -> bytes:
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        for name, dtype in DTYPES.items():
            tensor = v1.placeholder(dtype, SHAPES.get(name, [None]), name=name)
            tf.identity(tensor, name=f"{name}_out")
        offset = v1.placeholder_with_default(tf.constant([0.0]), [None], name="offset")
        factor = v1.placeholder(tf.float32, [], name="factor")
        batch = tf.shape(graph.get_tensor_by_name("flag:0"))
        tf.multiply(offset + tf.zeros(batch), factor, name="shifted")
    return bytes(graph.as_graph_def().SerializeToString())


if __name__ == "__main__":
    build(Path(sys.argv[1]))
