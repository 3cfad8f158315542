"""musicnn, a TF1 checkpoint with an is_training feed: tags of three seconds of music.

Its own code needs tf.layers, which TensorFlow no longer has, so the original is its meta graph in a TF1 session.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import zeep

from tests.conftest import Server
from tests.real_models.conftest import tensor
from tests.real_models.recipes import music_session, music_tags

SPECTROGRAMS = np.log10(10_000 * np.random.default_rng(5).random((2, 187, 96)) ** 4 + 1).astype(np.float32)


def test_tags_are_those_of_the_restored_checkpoint(real_server: Server, sources: Any) -> None:
    with music_session(sources["musicnn"].source) as run:
        wanted = run(SPECTROGRAMS)
    instances = {"item": [{"patches": tensor(each)} for each in SPECTROGRAMS]}

    answers = zeep.Client(f"{real_server.url}/soap/musicnn/v1?wsdl").service.predictBatch(instances)

    assert len(answers) == len(SPECTROGRAMS)
    for answer, row in zip(answers, wanted, strict=True):
        scores = {item.label: item.score for item in answer.tags.item}
        assert scores.keys() == set(music_tags())
        assert max(abs(scores[tag] - score) for tag, score in zip(music_tags(), row, strict=True)) < 1e-5


def test_meta_graph_of_tf_1_12_is_refused_by_tensorflow_itself(sources: Any) -> None:
    """What `freeze` works around: when this fails one day, the workaround can go."""
    with tf.Graph().as_default(), pytest.raises(ValueError, match="_output_shapes"):
        tf.compat.v1.train.import_meta_graph(f"{sources['musicnn'].source}/.meta", clear_devices=True)
