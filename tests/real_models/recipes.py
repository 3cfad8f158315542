"""How a user freezes each real model: its file, the options of `freeze`, and what the package keeps as code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.real_models.packages import PACKAGES

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # fer.FER._get_labels; it needs OpenCV
THAI = "สารานุกรมไทยสำหรับเยาวชนฯ"  # the example in cutkum's README


@dataclass(frozen=True)
class Recipe:
    """A model's name, what is frozen, and with which options."""

    name: str
    source: Path
    options: tuple[str, ...] = ()


def recipes(work: Path) -> list[Recipe]:
    """Return all recipes. work: a folder for what the packages do not hold as files."""
    (work / "emotions.txt").write_text("\n".join(EMOTIONS))
    (work / "tags.txt").write_text("\n".join(music_tags()))
    np.savez(work / "thai.npz", **thai_feeds(THAI))
    return [
        *(mtcnn_recipe(name, work) for name in ("pnet", "rnet", "onet")),
        Recipe(
            "fer",
            PACKAGES / "fer/data/emotion_model.hdf5",
            ("--input-names", "faces", "--output-names", "emotions", "--labels", str(work / "emotions.txt")),
        ),
        Recipe(
            "musicnn",
            PACKAGES / "musicnn/MTT_musicnn",
            ("--outputs", "model/Sigmoid", "--constant", "model/Placeholder_2=false", "--input-names", "patches",
             "--output-names", "tags", "--labels", str(work / "tags.txt")),
        ),
        Recipe(
            "cutkum",
            PACKAGES / "cutkum/frozen_model.pb",
            ("--outputs", "probs", "--constant", "placeholder/keep_prob=1.0", "--golden", str(work / "thai.npz")),
        ),
    ]  # fmt: skip


def mtcnn_recipe(name: str, work: Path) -> Recipe:
    """Save a net of mtcnn as a Keras file: the package has classes, and weights that joblib wrote."""
    import keras

    net, size = mtcnn_net(name)
    given = keras.Input((size, size, 3), name="patches")
    keras.Model(given, net.call(given)).save(work / f"{name}.keras")
    outputs = ("offsets", "landmarks", "scores") if name == "onet" else ("offsets", "scores")
    return Recipe(f"mtcnn-{name}", work / f"{name}.keras", ("--output-names", ",".join(outputs)))


def mtcnn_net(name: str) -> tuple[Any, int | None]:
    """Return a net as the package's own stage builds it, and the side of the pictures that it takes."""
    from mtcnn.stages import StageONet, StagePNet, StageRNet

    stage, size = {"pnet": (StagePNet, None), "rnet": (StageRNet, 24), "onet": (StageONet, 48)}[name]
    return stage().model, size


def music_tags() -> Sequence[str]:
    from musicnn.configuration import MTT_LABELS

    tags: list[str] = MTT_LABELS
    return tags


@contextmanager
def music_session(source: Path) -> Iterator[Callable[[np.ndarray], np.ndarray]]:
    """Lend a function that runs musicnn's checkpoint as it is: its meta graph, restored in a TF1 session."""
    import tensorflow as tf

    meta = tf.compat.v1.MetaGraphDef.FromString((source / ".meta").read_bytes())
    for node in meta.graph_def.node:
        node.attr.pop("_output_shapes", None)  # inconsistent for today's TensorFlow
    with closing(tf.compat.v1.Session(graph=tf.Graph())) as session:
        with session.graph.as_default():
            tf.compat.v1.train.import_meta_graph(meta, clear_devices=True).restore(session, f"{source}/")
        yield lambda patches: session.run(
            "model/Sigmoid:0", {"model/Placeholder:0": patches, "model/Placeholder_2:0": False}
        )


def thai_feeds(text: str) -> dict[str, np.ndarray]:
    """Return what cutkum feeds for a text: characters as one-hot rows, time first, and a state of zeros."""
    from cutkum.char_dictionary import CharDictionary

    characters = CharDictionary()
    ids = characters.chars2cids(list(text)) + characters.padding_cids(2)
    rows = np.eye(80, dtype=np.float32)[ids][:, np.newaxis]
    return {
        "inputs": rows,
        "seq_lengths": np.array([len(ids)], np.int32),
        "fw_state": np.zeros((1, 1, 896), np.float32),
    }
