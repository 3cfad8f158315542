"""Outputs that come as records and lists of records: manifest, WSDL, answers, and what may be told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from lxml import etree

from soapsvc.engine.local import LocalEngine
from soapsvc.errors import LoadError
from soapsvc.model.binding import Binding
from soapsvc.model.contract import RESERVED_TYPES
from soapsvc.model.description import describe
from soapsvc.model.dtypes import Array
from soapsvc.model.manager import ModelManager
from soapsvc.model.servable import Servable
from soapsvc.model.source import VersionFolder
from soapsvc.soap.call import Call
from soapsvc.soap.codec import Codec
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.disclosure import of_typed
from soapsvc.soap.media_type import ContentType
from soapsvc.soap.ns import XSD, SoapVersion
from soapsvc.soap.wsdl import stub_classes
from tests.model.folders import changed, reason

FACES: dict[str, Any] = {
    "format": 1,
    "name": "faces",
    "signatures": {
        "predict": {
            "inputs": {"count": {"tensor": "count:0", "dtype": "int32", "shape": []}},
            "outputs": {
                "boxes": {"tensor": "boxes:0", "dtype": "float32", "shape": ["faces", 4]},
                "light": {"tensor": "light:0", "dtype": "float64", "shape": []},
                "scores": {"tensor": "scores:0", "dtype": "float32", "shape": ["faces"]},
                "emotions": {"tensor": "emotions:0", "dtype": "float32", "shape": ["faces", 2]},
                "points": {"tensor": "points:0", "dtype": "int64", "shape": ["faces", 3]},
                "names": {"tensor": "names:0", "dtype": "string", "shape": ["faces"]},
                "camera": {"tensor": "camera:0", "dtype": "int32", "shape": [2]},
            },
        }
    },
    "contract": {
        "records": {"faces": {"type": "DetectedFace", "description": "Best first."}},
        "outputs": {
            "boxes": {"record": "faces", "element": "box", "type": "Box", "columns": ["x", "y", "width", "height"]},
            "scores": {"record": "faces", "element": "score"},
            "emotions": {"record": "faces", "element": "emotion", "as": "scoredLabels", "labels": ["sad", "happy"]},
            "points": {"record": "faces"},
            "names": {"record": "faces", "element": "name", "sensitive": True},
            "camera": {"type": "Angle", "columns": ["pan", "tilt"]},
        },
    },
}
OUTPUTS: dict[str, Array] = {
    "boxes:0": np.array([[1, 2, 3.5, 4], [5, 6, 7, 8]], np.float32),
    "light:0": np.array(0.25),
    "scores:0": np.array([0.5, 0.1], np.float32),
    "emotions:0": np.array([[0.25, 0.75], [1, 0]], np.float32),
    "points:0": np.array([[1, 2, 3], [4, 5, 6]]),
    "names:0": np.array([b"A & B", b"C"], object),
    "camera:0": np.array([-1, 9], np.int32),
}


class FacesGraph:
    """Answers the first `count` faces."""

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        count = int(feeds["count:0"])
        return [OUTPUTS[name] if name in ("light:0", "camera:0") else OUTPUTS[name][:count] for name in fetches]

    def close(self) -> None:
        """Nothing to free."""


def folder_of(tmp_path: Path, manifest: Mapping[str, Any]) -> VersionFolder:
    path = tmp_path / "faces" / "1"
    path.mkdir(parents=True, exist_ok=True)
    (path / "model.yaml").write_text(yaml.safe_dump(dict(manifest), sort_keys=False))
    return VersionFolder("faces", 1, path)


def load_faces(folder: VersionFolder) -> Servable:
    described = describe(folder)
    limits, signature = described.manifest.limits_of_calls(), described.signatures["predict"]
    return Servable(
        name="faces", version=1, description="", signatures=described.signatures, signature="predict",
        contract=described.contract, binding=Binding(described.contract, signature, limits), limits=limits,
        graph=FacesGraph(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Contracts:
    manager = ModelManager(load_faces)
    contracts = Contracts(manager, LocalEngine())
    assert manager.load(folder_of(tmp_path_factory.mktemp("models"), FACES), contracts.admit)
    return contracts


def predict(contracts: Contracts, operation: str, values: list[Any]) -> Any:
    endpoint = contracts.find(SoapVersion.SOAP11, "faces", 1)
    assert endpoint is not None
    reply = endpoint.answer(endpoint.request(operation, values), ContentType("text/xml"), Call("test"))
    assert reply.status == 200, reply.body
    return endpoint.result(operation, etree.fromstring(reply.body)[-1][0])


def test_list_of_records_comes_with_nested_record_labels_and_array(contracts: Contracts) -> None:
    faces, light, camera, version = predict(contracts, "predict", [2])
    first, second = faces
    box, score, emotion, points, name = first
    assert (box, score, emotion, name) == ((1, 2, 3.5, 4), 0.5, [("happy", 0.75), ("sad", 0.25)], "A & B")
    assert points.tolist() == [1, 2, 3]
    assert second[0] == (5, 6, 7, 8)
    assert (light, camera, version) == (0.25, (-1, 9), 1)


def test_no_record_is_an_empty_list(contracts: Contracts) -> None:
    assert predict(contracts, "predict", [0])[0] == []


def test_batch_answers_different_numbers_of_records(contracts: Contracts) -> None:
    answers = predict(contracts, "predictBatch", [[(0,), (2,), (1,)]])
    assert [len(answer[0]) for answer in answers] == [0, 2, 1]


def test_wsdl_names_the_types_and_the_codec_knows_them(contracts: Contracts) -> None:
    endpoint = contracts.find(SoapVersion.SOAP11, "faces", 1)
    assert endpoint is not None
    members = {
        str(node.get("name")): [
            (str(each.get("name")), str(each.get("type")).split(":")[-1]) for each in node.iter(f"{{{XSD}}}element")
        ]
        for node in endpoint.wsdl.iter(f"{{{XSD}}}complexType")
    }
    assert members["DetectedFace"] == [
        ("box", "Box"), ("score", "double"), ("emotion", "ArrayOfScoredLabel"), ("points", "ArrayOfLong"),
        ("name", "string"),
    ]  # fmt: skip
    assert members["Box"] == [("x", "double"), ("y", "double"), ("width", "double"), ("height", "double")]
    assert members["ArrayOfDetectedFace"] == [("item", "DetectedFace")]
    assert members["Angle"] == [("pan", "int"), ("tilt", "int")]
    assert [name for name, kind in members["Prediction"]] == ["faces", "light", "camera", "modelVersion"]
    assert all(isinstance(codec, Codec) for codec in endpoint._codecs.values()), "none is left to Spyne"


def test_changed_member_breaks_the_contract(contracts: Contracts, tmp_path: Path) -> None:
    columns = ["x", "y", "w", "height"]
    servable = load_faces(folder_of(tmp_path, changed(FACES, "contract.outputs.boxes.columns", columns)))
    assert "Box.width was double, is missing; Box.w is new" in reason(lambda: contracts.admit(servable))


def test_sensitive_member_is_secret_and_others_are_plain(tmp_path: Path) -> None:
    disclosure = of_typed([describe(folder_of(tmp_path, FACES)).contract])
    assert disclosure.secret == {"name"}
    assert {"faces", "box", "width", "score", "pan"} <= disclosure.plain


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("contract.outputs.light", {"record": "faces"}, "light.record: needs a value for each record"),
        ("contract.outputs.boxes.columns", ["x", "y"], "names 2 numbers, but one instance is float32 of shape [4]"),
        ("contract.outputs.boxes.type", "Tensor", "the type Tensor of box is the contract's own"),
        ("contract.outputs.boxes.type", "ArrayOfBox", "the type ArrayOfBox of box is the contract's own"),
        ("contract.outputs.camera.type", "Box", "two records of type Box have other members"),
        ("contract.outputs.scores.element", "box", "two elements are named box"),
        ("contract.outputs.scores.element", "item", "two elements are named item"),
        ("contract.records.people", {"type": "Person"}, "contract.records.people and `record: people`"),
        ("contract.outputs.light", {"record": "people"}, "contract.records.people and `record: people`"),
        ("contract.outputs.light", {"type": "Light"}, "`columns` and `type` go together"),
    ],
)
def test_records_that_make_no_sense_are_refused(tmp_path: Path, path: str, value: Any, words: str) -> None:
    with pytest.raises(LoadError) as caught:
        describe(folder_of(tmp_path, changed(FACES, path, value)))
    assert words in str(caught.value)


def test_reserved_types_are_those_of_every_contract(contracts: Contracts) -> None:
    endpoint = contracts.find(SoapVersion.SOAP11, "faces", 1)
    assert endpoint is not None
    own = {"DetectedFace", "Box", "Angle"}
    of_stubs = {name for name in stub_classes(endpoint.wsdl) if not name.startswith("ArrayOf")} - own
    assert of_stubs <= RESERVED_TYPES
