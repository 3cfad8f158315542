"""Writes the model `slow`, which multiplies matrices as often as it is told: `tests/transport/slow_model.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import tensorflow as tf

from soapsvc.authoring.folder import write_folder
from soapsvc.authoring.freeze import freeze

LIMITS = {"max_concurrent_calls": 1, "max_waiting_calls": 2}


def slow(steps: tf.Tensor) -> tf.Tensor:
    """steps int32 (batch,) -> float32 (batch,), after that many products of two 200 x 200 matrices."""
    matrix = tf.random.stateless_uniform([200, 200], [1, 2])
    scale = tf.constant(1e-2)

    def again(count: tf.Tensor, product: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return count + 1, tf.matmul(product, matrix) * scale

    most = tf.reduce_max(steps)
    _, product = tf.while_loop(lambda count, _: count < most, again, [tf.constant(0), matrix])
    return tf.cast(steps, tf.float32) + 0.0 * tf.reduce_max(product)


def main() -> None:
    """Write the folder."""
    to = Path(sys.argv[1])
    specification = [tf.TensorSpec([None], tf.int32, "steps")]
    manifest = {
        "format": 1,
        "name": "slow",
        "description": "Takes its time.",
        "signatures": {
            "predict": {
                "inputs": {"steps": {"tensor": "steps:0", "dtype": "int32", "shape": ["batch"]}},
                "outputs": {"done": {"tensor": "done:0", "dtype": "float32", "shape": ["batch"]}},
            }
        },
        "limits": LIMITS,
    }
    write_folder(
        to, graph_def=freeze(tf.function(slow, specification), ["steps"], ["done"]), manifest=manifest, labels=[],
        warmup=[],
    )  # fmt: skip


if __name__ == "__main__":
    main()
