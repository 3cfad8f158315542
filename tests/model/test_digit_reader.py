"""The bundled pipeline digit-reader: it reads unseen scenes, and takes whatever picture comes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from examples.digit_scenes import EASY, SEED, Scene, Scenes
from soapsvc.cli import main
from soapsvc.errors import InvalidInput
from soapsvc.model.loader import load
from soapsvc.model.servable import Servable
from soapsvc.model.source import version_folder
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def reader() -> Iterator[Servable]:
    servable = load(version_folder(ROOT / "models/digit-reader/1"))
    yield servable
    servable.graph.close()


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Return scenes of digits and photographs that training never saw, nor the figures in the manifest."""
    return list(Scenes(unseen=True, seed=SEED + 3).many(12, EASY))


def file(pixels: Any, kind: str = "PNG", **how: Any) -> bytes:
    content = BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(content, kind, **how)
    return content.getvalue()


def read(reader: Servable, content: bytes) -> dict[str, Any]:
    """Return what a client is answered."""
    ((count, feeds),) = reader.binding.pack([[content]])
    outputs = reader.run(reader.find_signature(None), feeds)
    ((text, digits),) = reader.binding.unpack(outputs, count)
    return {"text": text, "digits": digits}


def test_unseen_scenes_are_read(reader: Servable, scenes: list[Scene]) -> None:
    answers = [read(reader, file(scene.picture)) for scene in scenes]
    right = [answer["text"] == scene.text for answer, scene in zip(answers, scenes, strict=True)]
    assert sum(right) >= 10
    for answer, scene in zip(answers, scenes, strict=True):
        if answer["text"] != scene.text:
            continue
        for (box, score, labels), wanted in zip(answer["digits"], scene.boxes, strict=True):
            middle, own = (np.array([each[0] + each[2] / 2, each[1] + each[3] / 2]) for each in (box, wanted))
            assert np.abs(middle - own).max() < wanted[3] / 3
            assert 0 < score == labels.scores[0] <= 1


def test_description_tells_the_figures(reader: Servable) -> None:
    figures = re.search(r"unseen scenes: ([\d.]+)% of 200 easy ones, ([\d.]+)% of 200 hard ones", reader.description)
    assert figures is not None
    assert float(figures[1]) >= 90


@pytest.mark.parametrize(
    "content",
    [
        file(np.full((200, 300, 3), 90, np.uint8)),
        file(np.zeros((1, 1), np.uint8)),
        file(np.zeros((2, 900), np.uint8)),
        file(np.full((4000, 4000), 200, np.uint8)),
    ],
    ids=["blank", "1 x 1", "2 x 900", "4000 x 4000"],
)
def test_picture_without_digits_is_an_empty_answer(reader: Servable, content: bytes) -> None:
    assert read(reader, content) == {"text": "", "digits": []}


def test_kind_of_file_makes_no_difference(reader: Servable, scenes: list[Scene]) -> None:
    wanted = read(reader, file(scenes[0].picture))["text"]
    image = Image.fromarray(scenes[0].picture)
    sixteen = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    files = [
        file(image.convert("CMYK"), "JPEG", quality=95),
        file(sixteen),
        file(image, save_all=True, append_images=[Image.new("RGB", image.size)]),
    ]
    assert [read(reader, each)["text"] for each in files] == [wanted] * 3
    with pytest.raises(InvalidInput):
        read(reader, file(image, "GIF"))


def test_nets_in_one_graph_and_session_answer_as_each_alone(tmp_path: Path) -> None:
    nets = {"areas": "digit-areas", "cuts": "digit-cuts", "classes": "digit-classes"}
    parts = [f"--part={scope}={ROOT / 'models' / name / '1/model.pb'}" for scope, name in nets.items()]
    wiring = tmp_path / "wiring.yaml"
    wiring.write_text(
        "wires: {}\n"
        "inputs: {areas_pictures: [areas.pictures], cuts_pictures: [cuts.pictures],"
        " classes_pictures: [classes.pictures]}\n"
        "outputs: {areas_scores: areas.scores, cuts_scores: cuts.scores, classes_digits: classes.digits,"
        " classes_ink: classes.ink}\n"
    )
    assert main(["freeze", *parts, "--wiring", str(wiring), "--to", str(tmp_path / "nets/1")]) == 0
    joined = load(version_folder(tmp_path / "nets/1"))
    alone = {scope: load(version_folder(ROOT / "models" / name / "1")) for scope, name in nets.items()}
    feeds, wanted = {}, {}
    for scope, servable in alone.items():
        signature = servable.find_signature(None)
        call = json.loads((ROOT / "models" / nets[scope] / "1/warmup.jsonl").read_text().splitlines()[0])["inputs"]
        values = {name: np.asarray(value, np.float32) for name, value in call.items()}
        feeds |= {f"{scope}_{name}": value for name, value in values.items()}
        wanted |= {f"{scope}_{name}": value for name, value in servable.run(signature, values).items()}
    answered = joined.run(joined.find_signature(None), feeds)
    assert answered.keys() == wanted.keys()
    for name, value in wanted.items():
        np.testing.assert_array_equal(answered[name], value)
    for servable in (joined, *alone.values()):
        servable.graph.close()


def test_predict_command_shows_the_records(scenes: list[Scene], tmp_path: Any, capsys: Any) -> None:
    path = tmp_path / "scene.png"
    path.write_bytes(file(scenes[0].picture))
    assert main(["predict", str(ROOT / "models/digit-reader/1"), "--input", str(path), "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert len(answer["digits"]) == len(answer["text"])
    assert set(answer["digits"][0]) == {"box", "score", "digit"}
    assert set(answer["digits"][0]["box"]) == {"x", "y", "width", "height"}
    assert main(["predict", str(ROOT / "models/digit-reader/1"), "--input", str(path), "--csv"]) == 0
    assert '""box""' in capsys.readouterr().out
