"""zeep, the Python client, against the real server, in SOAP 1.1 and 1.2."""

from __future__ import annotations

import base64
import json
import math
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import zeep
from PIL import Image

from tests.conftest import ROOT, Server

FLOWER = {"sepalLength": 5.1, "sepalWidth": 3.5, "petalLength": 1.4, "petalWidth": 0.2}


@pytest.fixture(params=["soap", "soap12"])
def service(request: pytest.FixtureRequest, server: Server) -> Any:
    """Return a function that makes the service of a model."""

    def make(model: str) -> Any:
        return zeep.Client(f"{server.url}/{request.param}/{model}/v1?wsdl").service

    return make


def fault_detail(error: zeep.exceptions.Fault, name: str) -> dict[str, str]:
    node = error.detail.find(f"{{*}}{name}")
    assert node is not None
    return {child.tag.split("}")[1]: child.text for child in node}


def test_iris_tells_the_species(service: Any) -> None:
    prediction = service("iris").predict(**FLOWER)
    best = prediction.probabilities.item[0]
    assert best.label == "setosa"
    assert [item.score for item in prediction.probabilities.item] == sorted(
        (item.score for item in prediction.probabilities.item), reverse=True
    )
    assert math.isclose(sum(item.score for item in prediction.probabilities.item), 1, abs_tol=1e-3)
    assert prediction.modelVersion == 1


def test_iris_batch_keeps_the_order(service: Any) -> None:
    other = {"sepalLength": 6.3, "sepalWidth": 3.3, "petalLength": 6.0, "petalWidth": 2.5}
    answers = service("iris").predictBatch({"item": [FLOWER, other, FLOWER]})
    labels = [answer.probabilities.item[0].label for answer in answers]
    assert labels == ["setosa", "virginica", "setosa"]


def test_iris_info_names_its_version(service: Any) -> None:
    info = service("iris").getModelInfo()
    assert (info.name, info.modelVersion, info.contractVersion, info.maxBatch) == ("iris", 1, 1, 1000)


def golden_picture() -> bytes:
    call = json.loads((ROOT / "models/digits/1/warmup.jsonl").read_text().splitlines()[0])
    return base64.b64decode(call["inputs"]["images"][0]["b64"])


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_digits_reads_a_picture(service: Any, kind: str) -> None:
    with Image.open(BytesIO(golden_picture())) as image:
        enlarged = image.convert("RGB").resize((200, 200))
    picture = BytesIO()
    enlarged.save(picture, kind)
    digits = service("digits")
    assert (
        digits.predict(picture.getvalue()).probabilities.item[0].label
        == digits.predict(golden_picture()).probabilities.item[0].label
    )


def test_digit_reader_answers_a_list_of_records(service: Any) -> None:
    call = json.loads((ROOT / "models/digit-reader/1/warmup.jsonl").read_text().splitlines()[0])
    reader, scene = service("digit-reader"), base64.b64decode(call["inputs"]["image"]["b64"])
    answer = reader.predict(scene)
    assert answer.text == "".join(found.digit.item[0].label for found in answer.digits.item) == call["outputs"]["text"]
    for found, box in zip(answer.digits.item, call["outputs"]["boxes"], strict=True):
        np.testing.assert_allclose([found.box.x, found.box.y, found.box.width, found.box.height], box, rtol=1e-2)
    blank = BytesIO()
    Image.new("RGB", (300, 200), "white").save(blank, "PNG")
    batch = reader.predictBatch({"item": [{"image": scene}, {"image": blank.getvalue()}]})
    assert [each.text or "" for each in batch] == [answer.text, ""]
    assert not batch[1].digits


def test_digits_with_something_else_is_invalid_input(service: Any) -> None:
    with pytest.raises(zeep.exceptions.Fault) as raised:
        service("digits").predict(b"no picture")
    assert fault_detail(raised.value, "InvalidInput")["code"] == "bad-image"


def test_digits_with_half_a_picture_is_invalid_input(service: Any) -> None:
    with pytest.raises(zeep.exceptions.Fault) as raised:
        service("digits").predict(golden_picture()[:-20])
    detail = fault_detail(raised.value, "InvalidInput")
    assert (detail["code"], detail["field"]) == ("refused-by-model", "image")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("你好 & <ü>", "zh"),
        ("Guten Morgen, wie geht es Ihnen?", "de"),
        ("Bonjour tout le monde, comment allez-vous ?", "fr"),
        ("The weather is fine today, is it not?", "en"),
    ],
)
def test_language_tells_the_language(service: Any, text: str, code: str) -> None:
    assert service("language").predict(text).probabilities.item[0].label.startswith(code)


def test_invalid_input_is_typed_and_names_the_field(service: Any) -> None:
    with pytest.raises(zeep.exceptions.Fault) as raised:
        service("iris").predict(**FLOWER | {"petalLength": "NaN"})
    detail = fault_detail(raised.value, "InvalidInput")
    assert (detail["code"], detail["field"], detail["received"]) == ("not-finite", "petalLength", "NaN")
    assert detail["requestId"]


@pytest.mark.parametrize("number", ["INF", "-INF", "NaN"])  # as text, for zeep itself would spell them inf and nan
def test_special_numbers_pass_both_ways(service: Any, number: str) -> None:
    answer = service("inference").predict("kinds", None, None, None, {"item": kinds_inputs(number)})
    (ratio,) = [output.tensor for output in answer.outputs.item if output.name == "ratio"]
    assert str(ratio.doubles.item[0]) == str(float(number))


def kinds_inputs(number: str) -> list[dict[str, Any]]:
    """Return inputs for `kinds`, each as numbers or strings."""

    def tensor(name: str, dtype: str, shape: list[int], carrier: str, values: list[Any]) -> dict[str, Any]:
        return {"name": name, "tensor": {"dtype": dtype, "shape": {"item": shape}, carrier: {"item": values}}}

    return [
        tensor("flag", "bool", [1], "longs", [1]),
        tensor("count", "int32", [1], "longs", [7]),
        tensor("total", "int64", [1], "longs", [2**40]),
        tensor("level", "uint8", [1], "longs", [200]),
        tensor("ratio", "float64", [1], "doubles", [number]),
        tensor("note", "string", [1], "strings", ["x"]),
        tensor("pair", "float64", [1, 2], "doubles", [number, 1]),
        tensor("series", "float32", [1, 1], "doubles", [number]),
        tensor("codes", "int64", [1, 1], "longs", [1]),
        tensor("words", "string", [1, 1], "strings", ["x"]),
        tensor("grid", "float32", [1, 2, 3], "doubles", [1] * 6),
        tensor("picture", "uint8", [1, 2, 2, 3], "longs", [1] * 12),
    ]


def test_generic_service_lists_and_describes(service: Any) -> None:
    generic = service("inference")
    names = {status.modelName for status in generic.listModels()}
    assert names >= {"chat", "digit-reader", "digits", "iris", "kinds", "language"}
    model = generic.getModel("iris")
    assert [(spec.name, spec.dtype, spec.shape.item) for spec in model.inputs.item] == [
        ("features", "float32", [-1, 4])
    ]


@pytest.mark.parametrize(("arguments", "code"), [(("nothing",), "unknown-model"), (("iris", 9), "unknown-version")])
def test_generic_service_for_what_is_not_there_is_typed(service: Any, arguments: tuple[Any, ...], code: str) -> None:
    with pytest.raises(zeep.exceptions.Fault) as raised:
        service("inference").getModel(*arguments)
    assert fault_detail(raised.value, "ModelNotFound")["code"] == code
