"""What `python -m bench.authoring` freezes: four published models, three examples, two TF1 checkpoints made here.

Each subject is a source, the options of `freeze`, inputs for one call, and the ways in which people run the original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from examples import digits, iris, language
from tests.real_models.recipes import THAI, Recipe, music_session, recipes, thai_feeds

v1 = tf.compat.v1
Feeds = Mapping[str, Any]  # arrays by the contract's names
SIDES = {"mtcnn-pnet": 307, "mtcnn-rnet": 24, "mtcnn-onet": 48}  # of the pictures; P's is the largest of its pyramid


@dataclass(frozen=True)
class Subject:
    """One model. originals: the ways to run it before freezing, each a call of no arguments."""

    name: str
    source: Path
    options: tuple[str, ...]
    feeds: Feeds
    originals: Mapping[str, Callable[[], object]]


def subjects(work: Path, open_sessions: ExitStack) -> Iterator[Subject]:
    """Yield all subjects. work: a folder for their files; open_sessions closes the TF1 sessions of originals."""
    random = np.random.default_rng(1)
    for recipe in recipes(work):
        if recipe.name == "musicnn":
            patches = random.random((1, 187, 96)).astype(np.float32)
            run = open_sessions.enter_context(music_session(recipe.source))
            yield _subject(recipe, {"patches": patches}, {"Session.run": lambda run=run, x=patches: run(x)})
        elif recipe.name == "cutkum":
            feeds = thai_feeds(THAI)
            yield _subject(recipe, feeds, {"Session.run": _cutkum(recipe.source, feeds, open_sessions)})
        else:
            side, channels = SIDES.get(recipe.name, 64), 1 if recipe.name == "fer" else 3
            pixels = random.random((1, side, side, channels)).astype(np.float32)
            model = keras.models.load_model(recipe.source, compile=False)
            name, given = ("faces", [pixels]) if recipe.name == "fer" else ("patches", pixels)
            yield _subject(recipe, {name: pixels}, _keras(model, given))
    yield _iris(work)
    yield _digits(work)
    yield _language(work)
    for name, optimizer in {
        "MLP, Adam": v1.train.AdamOptimizer(),
        "MLP, SGD": v1.train.GradientDescentOptimizer(0.1),
    }.items():
        yield _checkpoint(name, optimizer, work / name.split()[1].lower(), open_sessions)


def _subject(recipe: Recipe, feeds: Feeds, originals: Mapping[str, Callable[[], object]]) -> Subject:
    return Subject(recipe.name, recipe.source, recipe.options, feeds, originals)


def _keras(model: Any, given: Any) -> dict[str, Callable[[], object]]:
    """Return both of Keras's ways: what its tutorials show, and the one it advises for small inputs in a loop."""
    return {"model.predict": lambda: model.predict(given, verbose=0), "model(x)": lambda: model(given)}


def _cutkum(source: Path, feeds: Feeds, open_sessions: ExitStack) -> Callable[[], object]:
    graph_def = v1.GraphDef.FromString(source.read_bytes())
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(graph_def, name="")
    session = open_sessions.enter_context(closing(v1.Session(graph=graph)))
    named = {f"placeholder/{name}:0": array for name, array in feeds.items()} | {"placeholder/keep_prob:0": 1.0}
    return lambda: session.run("probs:0", named)


def _iris(work: Path) -> Subject:
    keras.utils.set_random_seed(iris.SEED)
    features, _, species, _ = iris.split()
    model = iris.train(features, species)
    model.save(work / "iris.keras")
    row = features[:1]
    return Subject("iris", work / "iris.keras", ("--input-names", "features"), {"features": row}, _keras(model, row))


def _digits(work: Path) -> Subject:
    pixels, _, numbers, _ = digits.split()
    module = tf.Module()
    module.model = digits.train((pixels / 255)[..., np.newaxis].astype(np.float32), numbers)
    tf.saved_model.save(module, str(work / "digits"), signatures=digits.served(module.model))
    serve = tf.saved_model.load(str(work / "digits")).signatures["serving_default"]
    images = np.array([digits.encoded(pixels[0])])
    golden = work / "digits.npz"
    np.savez(golden, images=images)
    given = tf.constant(images)
    return Subject(
        "digits", work / "digits", ("--golden", str(golden)), {"images": images},
        {"signature": lambda: next(iter(serve(images=given).values())).numpy()},
    )  # fmt: skip


def _language(work: Path) -> Subject:
    """Weights made up: size and time do not depend on them, and training them takes minutes."""
    rows, columns = language.HASHED + language.BLOCKS, len(language.LABELS)
    module = tf.Module()
    module.weights = tf.Variable(tf.cast(tf.random.stateless_normal([rows, columns], [1, 2]), tf.float16))
    scorer = language.scorer(module.weights, tf.zeros([columns]))
    tf.saved_model.save(module, str(work / "language"), signatures=scorer)
    serve = tf.saved_model.load(str(work / "language")).signatures["serving_default"]
    text = np.array([b"Guten Morgen, wie geht es Ihnen?"])
    given = tf.constant(text)
    return Subject(
        "language", work / "language", (), {"text": text},
        {"signature": lambda: next(iter(serve(text=given).values())).numpy()},
    )  # fmt: skip


def _checkpoint(name: str, optimizer: Any, folder: Path, open_sessions: ExitStack) -> Subject:
    """Train a perceptron for ten steps, 784-256-128-10, and save its checkpoint."""
    random = np.random.default_rng(2)
    rows, numbers = random.random((32, 784)).astype(np.float32), random.integers(0, 10, 32)
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 784], "x")
        y = v1.placeholder(tf.int64, [None], "y")
        hidden: Any = x
        for layer, (size, units) in enumerate([(784, 256), (256, 128), (128, 10)]):
            weights = v1.get_variable(f"w{layer}", [size, units])
            hidden = tf.matmul(tf.nn.relu(hidden) if layer else hidden, weights) + v1.get_variable(f"b{layer}", [units])
        scores = tf.nn.softmax(hidden, name="scores")
        train = optimizer.minimize(tf.reduce_mean(v1.losses.sparse_softmax_cross_entropy(y, hidden)))
        session = open_sessions.enter_context(closing(v1.Session(graph=graph)))
        session.run(v1.global_variables_initializer())
        for _ in range(10):
            session.run(train, {x: rows, y: numbers})
        saved = v1.train.Saver().save(session, str(folder / "model"))
    return Subject(
        name, Path(saved), ("--outputs", "scores"), {"x": rows[:1]},
        {"Session.run": lambda: session.run(scores, {x: rows[:1]})},
    )  # fmt: skip
