"""Two models that do next to nothing with a lot of bytes: `python -m bench.attachment_models FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from bench.messages import PIXELS
from soapsvc.authoring.folder import WARMUP_FILE, write_folder
from soapsvc.authoring.freeze import freeze

MOST = 100  # instances of pixels in one call
LIMITS = {"max_batch": MOST, "max_elements": MOST * 224 * 224 * 3, "max_image_pixels": 100_000_000}


def main() -> None:
    """Write models/pixels/1 and models/picture/1."""
    models = Path(sys.argv[1])
    pixels = tf.TensorSpec([None, *PIXELS], tf.float32, "pixels")
    write(models / "pixels" / "1", pixels, lambda array: tf.reduce_mean(array, [1, 2, 3]))
    picture = tf.TensorSpec([None], tf.string, "picture")
    write(models / "picture" / "1", picture, _length, {"picture": {"as": "image"}})


def _length(content: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.strings.length(content), tf.float32)


def write(
    to: Path,
    spec: tf.TensorSpec,
    function: Callable[[Any], Any],
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    labels: Sequence[str] = (),
    warmup: Sequence[Mapping[str, Any]] = (),
) -> Any:
    """Write a model of one input and the output `answer`, over one that is there, and return its graph.

    inputs, outputs: how they appear in the contract, if not as they are. labels: of the answer's columns.
    warmup: calls that prove it at load.
    """
    shape = ["batch", *spec.shape.as_list()[1:]]
    answer = ["batch", len(labels)] if labels else ["batch"]
    manifest = {
        "format": 1,
        "name": to.parent.name,
        "description": "Measures.",
        "signatures": {
            "predict": {
                "inputs": {spec.name: {"tensor": f"{spec.name}:0", "dtype": spec.dtype.name, "shape": shape}},
                "outputs": {"answer": {"tensor": "answer:0", "dtype": "float32", "shape": answer}},
            }
        },
        "contract": {"version": 1, "inputs": inputs or {}, "outputs": outputs or {}},
        "limits": LIMITS,
        **({"warmup": {"file": WARMUP_FILE}} if warmup else {}),
    }
    graph_def = freeze(tf.function(function, [spec]), [spec.name], ["answer"])
    write_folder(to, graph_def=graph_def, manifest=manifest, labels=labels, warmup=warmup, force=True)
    return graph_def


if __name__ == "__main__":
    main()
