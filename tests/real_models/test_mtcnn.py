"""mtcnn, a face detector of three nets: its own chain with its own nets, and with nets behind SOAP."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.real_models.conftest import Array, Predict

NETS = {"pnet": ("offsets", "scores"), "rnet": ("offsets", "scores"), "onet": ("offsets", "landmarks", "scores")}


@pytest.fixture(scope="module")
def detector(packages: None) -> Any:
    """Return the package's own detector."""
    from mtcnn import MTCNN

    return MTCNN()


@pytest.fixture(scope="module")
def served_detector(predict: Predict, packages: None) -> Any:
    """Return the package's own detector with nothing replaced but its nets."""
    from mtcnn import MTCNN

    def served(name: str, outputs: tuple[str, ...]) -> Any:
        def net(patches: Any) -> list[Any]:
            answered = predict(f"mtcnn-{name}", patches=np.asarray(patches))
            return [tf.constant(answered[output]) for output in outputs]

        return net

    detector = MTCNN()
    for stage, (name, outputs) in zip(detector.stages, NETS.items(), strict=True):
        stage._model = served(name, outputs)
    return detector


def test_chain_over_soap_finds_the_same_face(detector: Any, served_detector: Any, astronaut: Array) -> None:
    (own,) = detector.detect_faces(astronaut)
    (served,) = served_detector.detect_faces(astronaut)

    assert served["box"] == own["box"]
    assert served["keypoints"] == own["keypoints"]
    assert abs(served["confidence"] - own["confidence"]) < 1e-6
    assert own["confidence"] > 0.99, "there is a face to find"


def test_chain_over_soap_gives_the_same_numbers_unrounded(
    detector: Any, served_detector: Any, astronaut: Array
) -> None:
    own, served = (each.detect_faces(astronaut, output_type="numpy") for each in (detector, served_detector))
    assert own.shape == served.shape == (1, 16)
    assert np.abs(served - own).max() < 1e-3, "pixels"
