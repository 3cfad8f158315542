"""The pipeline of examples/faces.py: mtcnn's nets and fer's behind one typed operation."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import zeep
from PIL import Image

from examples.faces import NETS, POINTS, STEPS
from tests.conftest import Server
from tests.real_models.conftest import Array
from tests.real_models.packages import ASTRONAUT


@pytest.fixture(scope="module")
def faces(real_server: Server) -> Any:
    return zeep.Client(f"{real_server.url}/soap/faces/v1?wsdl").service


def png(pixels: Array) -> bytes:
    content = BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def test_faces_are_those_of_mtcnns_own_code(faces: Any, astronaut: Array) -> None:
    from mtcnn import MTCNN

    two = np.concatenate([astronaut, astronaut[:, ::-1]], axis=1)
    own = MTCNN().detect_faces(two)
    answer = faces.predict(png(two)).faces.item
    assert len(answer) == len(own) == 2
    for found, wanted in zip(answer, own, strict=True):
        assert [found.box.x, found.box.y, found.box.width, found.box.height] == wanted["box"]
        assert abs(found.score - wanted["confidence"]) < 1e-5
        keys = {"leftEye": "left_eye", "rightEye": "right_eye", "mouthLeft": "mouth_left", "mouthRight": "mouth_right"}
        points = {point: [found.landmarks[f"{point}X"], found.landmarks[f"{point}Y"]] for point in POINTS}
        assert points == {point: wanted["keypoints"][keys.get(point, point)] for point in POINTS}
        assert found.emotion.item[0].label == "happy"


@pytest.mark.parametrize("pixels", [np.full((120, 160, 3), 90, np.uint8), np.zeros((1, 1, 3), np.uint8)])
def test_picture_without_a_face_is_answered_with_an_empty_list(faces: Any, pixels: Array) -> None:
    answer = faces.predict(png(pixels))
    assert answer.faces is None or not answer.faces.item


def test_picture_that_would_take_too_long_is_refused(faces: Any) -> None:
    with pytest.raises(zeep.exceptions.Fault) as caught:
        faces.predict(png(np.zeros((4000, 4000, 3), np.uint8)))
    assert "at most 6000000 pixels" in str(caught.value)


@pytest.mark.parametrize("mode", ["CMYK", "I;16", "frames"])
def test_unusual_picture_is_answered_as_its_usual_form(faces: Any, astronaut: Array, mode: str) -> None:
    usual, content = Image.fromarray(astronaut), BytesIO()
    if mode == "CMYK":
        usual.convert("CMYK").save(content, "JPEG", quality=95)
    elif mode == "I;16":
        grey = np.asarray(usual.convert("L"), np.uint16) * 257
        Image.fromarray(grey).save(content, "PNG")
    else:
        usual.save(content, "PNG", save_all=True, append_images=[Image.new("RGB", usual.size)])
    (face,) = faces.predict(content.getvalue()).faces.item
    (wanted,) = faces.predict(png(astronaut)).faces.item
    assert abs(face.box.x - wanted.box.x) < 10
    assert abs(face.box.width - wanted.box.width) < 20


def test_log_tells_what_each_step_took(faces: Any, real_server: Server) -> None:
    faces.predict(ASTRONAUT.read_bytes())
    line, *_ = [each for each in real_server.logged().splitlines() if "model=faces" in each and "steps=" in each]
    steps = re.search(r" steps=(\S+)", line)
    assert steps is not None
    assert {each.split(":")[0] for each in steps[1].split(",")} == set(STEPS) >= set(NETS)
