"""Technique 3: restore several models, each from its own checkpoint, into one graph, and let them work as one.

One model cleans a noisy picture, the other reads it. Each was trained under a scope of its own; `freeze --part` takes a
scope as `clean/`, so that `s1` never takes the variables of `s10`.

    python examples/techniques/restore_several.py
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
from shared import bias, command, digits, network, read_digits, weights, workplace

v1 = tf.compat.v1
WIRING = """\
inputs:
  pixels: [clean.noisy]
wires:
  read.pixels: clean.cleaned
outputs:
  probabilities: read.probabilities
"""


def train_cleaner() -> None:
    """Save checkpoint `clean_ckpt`: noisy float32 (n, 64) -> cleaned (n, 64), variables under clean/."""
    train, *_ = digits()
    random = np.random.default_rng(1)
    with tf.Graph().as_default(), v1.Session() as session, v1.variable_scope("clean"):
        v1.set_random_seed(1)
        noisy = v1.placeholder(tf.float32, [None, 64], "noisy")
        hidden = tf.nn.relu(tf.matmul(noisy, weights("hidden", 64, 32)) + bias("hidden", 32))
        cleaned = tf.sigmoid(tf.matmul(hidden, weights("pixels", 32, 64)) + bias("pixels", 64), name="cleaned")
        step = v1.train.AdamOptimizer(0.01).minimize(v1.losses.mean_squared_error(train, cleaned))
        session.run(v1.global_variables_initializer())
        for _ in range(400):
            session.run(step, {noisy: train + random.normal(0, 0.1, train.shape)})
        v1.train.Saver(v1.trainable_variables()).save(session, "clean_ckpt")


def train_reader() -> None:
    """Save checkpoint `read_ckpt`: pixels float32 (n, 64) -> probabilities (n, 10), variables under read/."""
    train, _, answers, _ = digits()
    with tf.Graph().as_default(), v1.Session() as session, v1.variable_scope("read"):
        v1.set_random_seed(1)
        pixels = v1.placeholder(tf.float32, [None, 64], "pixels")
        logits = network(pixels)
        tf.nn.softmax(logits, name="probabilities")
        step = v1.train.AdamOptimizer(0.01).minimize(v1.losses.sparse_softmax_cross_entropy(answers, logits))
        session.run(v1.global_variables_initializer())
        for _ in range(200):
            session.run(step, {pixels: train})
        v1.train.Saver(v1.trainable_variables()).save(session, "read_ckpt")


def main() -> None:
    """Train both, freeze them into one graph, serve, call."""
    with workplace():
        train_cleaner()
        train_reader()
        Path("wiring.yaml").write_text(WIRING)
        command(
            "freeze", "--part", "clean=clean_ckpt", "--part", "read=read_ckpt", "--wiring", "wiring.yaml",
            "--to", "models/clean-and-read/1", "--labels", "labels.txt",
        )  # fmt: skip
        read_digits("clean-and-read")


if __name__ == "__main__":
    main()
