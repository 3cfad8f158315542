"""Writes the model `tally`, whose sentence is all that was said in a session: `tally_model.py FOLDER [counting]`.

A `counting` version keeps another state: how much was said.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import tensorflow as tf

from soapsvc.authoring.folder import write_folder
from soapsvc.authoring.freeze import freeze


def saying(question: tf.Tensor, said: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """question, said string (batch,) -> all that was said, twice."""
    joined = tf.strings.join([said, question, " "])
    return tf.identity(joined), tf.identity(joined)


def counting(question: tf.Tensor, said: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """question string (batch,), said int64 (batch,) -> how much was said, as text and as a number."""
    count = said + tf.ones_like(tf.strings.length(question), tf.int64)
    return tf.as_string(count), tf.identity(count)


def main() -> None:
    """Write the folder."""
    counts = "counting" in sys.argv[2:]
    dtype, initial = ("int64", 0) if counts else ("string", "")

    def tensor(name: str, dtype: str = "string") -> dict[str, Any]:
        return {"tensor": f"{name}:0", "dtype": dtype, "shape": ["batch"]}

    manifest = {
        "format": 1,
        "name": "tally",
        "description": "Says all that was said.",
        "signatures": {
            "predict": {
                "inputs": {"question": tensor("question"), "said": tensor("said", dtype)},
                "outputs": {"sentence": tensor("sentence"), "next_said": tensor("next_said", dtype)},
            }
        },
        "session": {"state": {"said": {"output": "next_said", "initial": initial}}},
        "limits": {"max_concurrent_calls": 8, "max_waiting_calls": 1000},
    }
    specification = [tf.TensorSpec([None], tf.string, "question"), tf.TensorSpec([None], dtype, "said")]
    function = tf.function(counting if counts else saying, specification)
    write_folder(
        Path(sys.argv[1]), graph_def=freeze(function, ["question", "said"], ["sentence", "next_said"]),
        manifest=manifest, labels=[], warmup=[],
    )  # fmt: skip


if __name__ == "__main__":
    main()
