"""The models of bench-full that are too large for git, made once: `python -m bench.large_models FOLDER KEPT.npz`.

pixels: the mean of a picture; mobilenet: MobileNetV2 with random weights; weights: 57 MB that do next to nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bench.attachment_models import LIMITS
from bench.messages import PIXELS
from soapsvc.authoring.folder import write_folder
from soapsvc.authoring.freeze import freeze, run_frozen

CLASSES, CLOSE = 1000, 5
WEIGHTS = (3560, 4000)  # float32: 57 MB


def main() -> None:
    """Write models/pixels/1, models/mobilenet/1 and models/weights/1, and the input and best labels of MobileNetV2."""
    models, kept = Path(sys.argv[1]), Path(sys.argv[2])
    batch = tf.TensorSpec([None, *PIXELS], tf.float32, "pixels")
    mean = tf.function(lambda pixels: tf.reduce_mean(pixels, [1, 2, 3]), [batch])
    _write(models / "pixels" / "1", mean, batch, {"shape": ["batch"]})
    _write_mobilenet(models / "mobilenet" / "1", batch, kept)
    weights = tf.constant(np.random.default_rng(2).random(WEIGHTS, dtype=np.float32))
    row = tf.TensorSpec([None, 4], tf.float32, "row")
    small = tf.function(lambda row: tf.reduce_sum(row, 1) + weights[0, 0] * tf.size(weights, tf.float32), [row])
    _write(models / "weights" / "1", small, row, {"shape": ["batch"]})


def _write_mobilenet(to: Path, batch: Any, kept: Path) -> None:
    keras.utils.set_random_seed(3)
    model = keras.applications.MobileNetV2(weights=None, classes=CLASSES)
    labels = [f"class{number}" for number in range(CLASSES)]
    output = {"shape": ["batch", CLASSES]}
    scored = {"as": "scoredLabels", "labels": "labels.txt", "top": CLOSE}
    graph_def = _write(
        to, tf.function(lambda pixels: model(pixels, training=False), [batch]), batch, output, scored, labels
    )
    pixels = np.random.default_rng(4).random((1, *PIXELS), dtype=np.float32)
    scores = run_frozen(graph_def, {"pixels": pixels}, ["answer"])["answer"][0]
    np.savez(kept, pixels=pixels, best=[labels[index] for index in np.argsort(-scores)[:CLOSE]])


def _write(
    to: Path, function: Any, spec: Any, output: dict[str, Any], shown: dict[str, Any] | None = None,
    labels: list[str] | None = None,
) -> Any:  # fmt: skip
    shape = ["batch", *spec.shape.as_list()[1:]]
    manifest = {
        "format": 1,
        "name": to.parent.name,
        "description": "Measures.",
        "signatures": {
            "predict": {
                "inputs": {spec.name: {"tensor": f"{spec.name}:0", "dtype": spec.dtype.name, "shape": shape}},
                "outputs": {"answer": {"tensor": "answer:0", "dtype": "float32", **output}},
            }
        },
        "contract": {"version": 1, "outputs": {"answer": shown} if shown else {}},
        "limits": LIMITS,
    }
    graph_def = freeze(function, [spec.name], ["answer"])
    write_folder(to, graph_def=graph_def, manifest=manifest, labels=labels or [], force=True)
    return graph_def


if __name__ == "__main__":
    main()
