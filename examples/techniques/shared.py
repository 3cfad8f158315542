"""What the eight scripts share: handwritten digits, a small TF1 network, and a SOAP call to the model they made."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

import numpy as np
import tensorflow as tf
import zeep
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from soapsvc import cli

ROOT = Path(__file__).resolve().parents[2]
LABELS = [str(digit) for digit in range(10)]
Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
v1 = tf.compat.v1


def digits() -> Split:
    """Training and held-out pixels, float32 (n, 64) in [0, 1], and their digits, int64 (n,)."""
    pixels, digit = load_digits(return_X_y=True)
    pixels = (pixels / 16).astype(np.float32)
    train, held_out, answers, held_out_answers = train_test_split(pixels, digit, stratify=digit, random_state=1)
    return train, held_out, answers, held_out_answers


def network(pixels: tf.Tensor, keep_prob: tf.Tensor | float = 1.0) -> tf.Tensor:
    """A TF1 network, pixels float32 (n, 64) -> logits (n, 10); its variables go where the caller's scope says."""
    hidden = tf.nn.relu(tf.matmul(pixels, weights("hidden", 64, 32)) + bias("hidden", 32))
    dropped = tf.nn.dropout(hidden, rate=1 - keep_prob)
    return tf.add(tf.matmul(dropped, weights("digit", 32, 10)), bias("digit", 10), name="logits")


def weights(name: str, inputs: int, outputs: int) -> tf.Tensor:
    """A trainable matrix, float32 (inputs, outputs)."""
    initial = v1.glorot_uniform_initializer(seed=1)
    return v1.get_variable(f"{name}/kernel", [inputs, outputs], initializer=initial, use_resource=False)


def bias(name: str, outputs: int) -> tf.Tensor:
    """A trainable vector, float32 (outputs,)."""
    return v1.get_variable(f"{name}/bias", [outputs], initializer=v1.zeros_initializer(), use_resource=False)


def train_digits(prefix: str, meta_graph: bool = True) -> None:
    """Train the network with dropout and Adam, as a TF1 program would, and save a checkpoint with its training graph.

    The meta graph lists `probabilities` in the collection `answers`; dropout asks for a feed of `keep_prob`.
    """
    train, _, answers, _ = digits()
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(1)
        pixels = v1.placeholder(tf.float32, [None, 64], "pixels")
        digit = v1.placeholder(tf.int64, [None], "digit")
        keep_prob = v1.placeholder(tf.float32, [], "keep_prob")
        logits = network(pixels, keep_prob)
        v1.add_to_collection("answers", tf.nn.softmax(logits, name="probabilities"))
        loss = v1.losses.sparse_softmax_cross_entropy(digit, logits)
        step = v1.train.AdamOptimizer(0.01).minimize(loss)
        session.run(v1.global_variables_initializer())
        for _ in range(200):
            session.run(step, {pixels: train, digit: answers, keep_prob: 0.8})
        v1.train.Saver().save(session, prefix, write_meta_graph=meta_graph)


def command(*arguments: str) -> None:
    """Run `python -m soapsvc` with these arguments, shown as a user would type it; stop the script when it fails."""
    print("$ python -m soapsvc", *arguments, flush=True)
    if code := cli.main(arguments):
        raise SystemExit(code)


@contextmanager
def workplace() -> Iterator[None]:
    """Work in a folder that has labels.txt in it and is gone when the block ends."""
    with tempfile.TemporaryDirectory() as place, chdir(place):
        Path("labels.txt").write_text("\n".join(LABELS) + "\n")
        yield


@contextmanager
def serving() -> Iterator[str]:
    """Serve the folder `models` on a free port; yield the server's address."""
    start = [sys.executable, str(ROOT / "serve.py"), "--models", "models", "--port", "0", "--log-level", "warning"]
    with subprocess.Popen(start, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            lines = (re.match(r"soapsvc is ready: (\S+)/", line) for line in server.stdout)
            yield next(found[1] for found in lines if found)
        finally:
            server.terminate()


def read_digits(name: str, rows: int = 100) -> None:
    """Send held-out digits to the model `name` over SOAP in one batch, and print how many are right."""
    _, held_out, _, answers = digits()
    with serving() as url:
        service = zeep.Client(f"{url}/soap/{name}/v1?wsdl").service
        instances = [{"pixels": {"item": row.tolist()}} for row in held_out[:rows]]
        predictions = service.predictBatch({"item": instances})
    report(name, [int(each.probabilities.item[0].label) for each in predictions], answers[:rows])


def report(name: str, predicted: list[int], wanted: np.ndarray) -> None:
    """Print how many of the digits that came over SOAP are right."""
    right = int((np.array(predicted) == wanted).sum())
    print(f"{name} over SOAP: {right} of {len(wanted)} digits right")
