"""Technique 2: build the model's graph from code, and restore only its weights.

For a checkpoint without a meta file, or whose training graph is not the one to serve: here the trained graph has
dropout and labels, the built one has neither. A weight that the checkpoint lacks would be an error that names it.

    python examples/techniques/build_graph.py
"""

import tensorflow as tf
from shared import command, network, read_digits, train_digits, workplace


def inference() -> dict[str, tf.Tensor]:
    """The graph to serve: pixels float32 (n, 64) -> probabilities (n, 10), under the variable names of training."""
    pixels = tf.compat.v1.placeholder(tf.float32, [None, 64], "pixels")
    return {"probabilities": tf.nn.softmax(network(pixels))}


def main() -> None:
    """Train, freeze with the graph built above, serve, call."""
    with workplace():
        train_digits("model_ckpt", meta_graph=False)
        command(
            "freeze", "model_ckpt.index", "--to", "models/build-graph/1",
            "--build", "build_graph:inference", "--labels", "labels.txt",
        )  # fmt: skip
        read_digits("build-graph")


if __name__ == "__main__":
    main()
