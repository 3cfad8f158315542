"""The models of bench-full that are too large for git, made once in the cache folder: `python -m bench.large_models`.

pixels: the mean of a picture. mobilenet: MobileNetV2 with random weights. weights: the mean, and 57 MB beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bench.attachment_models import write
from bench.messages import PIXELS
from bench.workloads import HEAVY_MODELS, LARGE_MODELS, MOBILENET
from soapsvc.authoring.freeze import run_frozen

CLASSES, CLOSE = 1000, 5
WEIGHTS = (3560, 4000)  # float32: 57 MB


def main() -> None:
    """Write the models, and the input and best labels of MobileNetV2, which are the last file written."""
    batch = tf.TensorSpec([None, *PIXELS], tf.float32, "pixels")
    write(LARGE_MODELS / "pixels" / "1", batch, lambda pixels: tf.reduce_mean(pixels, [1, 2, 3]))
    weights = tf.constant(np.random.default_rng(2).random(WEIGHTS, dtype=np.float32) * 1e-9)
    write(
        HEAVY_MODELS / "weights" / "1", batch,
        lambda pixels: tf.reduce_mean(pixels, [1, 2, 3]) + tf.gather(weights, tf.cast(pixels[0, 0, 0, 0], tf.int32))[0],
        warmup=[{"inputs": {"pixels": np.full((1, *PIXELS), 0.5, np.float32)}}],
    )  # fmt: skip
    _write_mobilenet(LARGE_MODELS / "mobilenet" / "1", batch)


def _write_mobilenet(to: Path, batch: Any) -> None:
    keras.utils.set_random_seed(3)
    model = keras.applications.MobileNetV2(weights=None, classes=CLASSES)
    labels = [f"class{number}" for number in range(CLASSES)]
    scored = {"as": "scoredLabels", "labels": "labels.txt", "top": CLOSE}
    graph_def = write(
        to, batch, lambda pixels: model(pixels, training=False), outputs={"answer": scored}, labels=labels
    )
    pixels = np.random.default_rng(4).random((1, *PIXELS), dtype=np.float32)
    scores = run_frozen(graph_def, {"pixels": pixels}, ["answer"])["answer"][0]
    np.savez(MOBILENET, pixels=pixels, best=[labels[index] for index in np.argsort(-scores)[:CLOSE]])


if __name__ == "__main__":
    main()
