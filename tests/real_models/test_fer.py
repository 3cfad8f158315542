"""fer, a Keras 2.0 file: the emotion of a face, as the package asks its model for it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
import zeep
from PIL import Image

from tests.conftest import Server
from tests.real_models.conftest import Array
from tests.real_models.recipes import EMOTIONS

FACE = (160, 54, 287, 181)  # mtcnn's box of the astronaut, made a square and 10 pixels wider, as fer does


@pytest.fixture(scope="module")
def face(astronaut: Array) -> Image.Image:
    """Return the face in grey, 64 pixels square."""
    return Image.fromarray(astronaut).convert("L").crop(FACE).resize((64, 64), Image.Resampling.BILINEAR)


def test_emotions_of_a_png_are_those_of_the_keras_model(real_server: Server, sources: Any, face: Image.Image) -> None:
    import keras

    original = keras.models.load_model(sources["fer"].source, compile=False)  # as fer.FER does without OpenCV
    pixels = (np.asarray(face, np.float32)[None, ..., None] / 255 - 0.5) * 2
    wanted = dict(zip(EMOTIONS, np.asarray(original([pixels]))[0], strict=True))
    picture = BytesIO()
    face.save(picture, "PNG")

    answer = zeep.Client(f"{real_server.url}/soap/fer/v1?wsdl").service.predict(picture.getvalue())

    scores = {item.label: item.score for item in answer.emotions.item}
    assert scores.keys() == wanted.keys()
    assert max(abs(scores[label] - wanted[label]) for label in EMOTIONS) < 1e-5
    assert answer.emotions.item[0].label == "happy"
