"""The generic service: named tensors, metadata, status, and their faults."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from soapsvc.model.source import VersionFolder
from soapsvc.soap.application import Reply
from soapsvc.soap.samples import inference_samples, typed_samples
from tests.kinds import MANIFEST
from tests.soap.conftest import Service
from tests.soap.messages import INFERENCE, detail, find


@pytest.fixture
def request_body(service: Service) -> etree._Element:
    """A request that works: the sample of predict."""
    with service.manager.handle("kinds") as servable:
        return etree.fromstring(inference_samples(service.endpoint("inference"), servable)["predict"])


def post(service: Service, request: etree._Element) -> Reply:
    return service.post(etree.tostring(request), "inference")


def node(request: etree._Element, path: str) -> etree._Element:
    found = request.find(".//" + "/".join(f"{{{INFERENCE}}}{step}" for step in path.split("/")))
    assert found is not None
    return found


def named(reply: Reply, name: str) -> etree._Element:
    """Return the tensor of an output."""
    root = etree.fromstring(reply.body)
    (found,) = [item for item in root.iter(f"{{{INFERENCE}}}item") if item.findtext(f"{{{INFERENCE}}}name") == name]
    return found


def test_every_sample_works(service: Service) -> None:
    with service.manager.handle("kinds") as servable:
        typed = typed_samples(service.endpoint(), servable)
        generic = inference_samples(service.endpoint("inference"), servable)
    assert {service.post(sample).status for sample in typed.values()} == {200}
    assert {service.post(sample, "inference").status for sample in generic.values()} == {200}
    assert list(typed) == ["predict", "predictBatch", "getModelInfo"]
    assert list(generic) == ["predict", "getModel", "listModels"]


@pytest.mark.parametrize("words", ["[batch, null]", "[batch, 3]", "[batch, 2, 3]", "[batch, null, null]"])
def test_every_sample_works_without_golden_inputs(tmp_path: Path, words: str) -> None:
    """The page at / makes one up for whatever a model takes, strings of any shape among it."""
    path = tmp_path / "kinds" / "1"
    path.mkdir(parents=True)
    old = "dtype: string, shape: [batch, null]}"
    (path / "model.yaml").write_text(MANIFEST.replace(old, f"dtype: string, shape: {words}}}"))
    service = Service(VersionFolder("kinds", 1, path))
    with service.manager.handle("kinds") as loaded:
        servable = replace(loaded, sample=None)
        typed = typed_samples(service.endpoint(), servable)
        generic = inference_samples(service.endpoint("inference"), servable)
    assert {service.post(sample).status for sample in typed.values()} == {200}
    assert {service.post(sample, "inference").status for sample in generic.values()} == {200}


def test_predict_answers_every_output(service: Service, request_body: etree._Element) -> None:
    reply = post(service, request_body)
    assert find(reply, "modelVersion") == "2"
    with service.manager.handle("kinds") as servable:
        for name, spec in servable.signatures["predict"].outputs.items():
            assert named(reply, name).findtext(f".//{{{INFERENCE}}}dtype") == spec.dtype


def test_predict_with_content_answers_content(service: Service, request_body: etree._Element) -> None:
    for item in request_body.iter(f"{{{INFERENCE}}}tensor"):
        values = item.find(f"{{{INFERENCE}}}doubles")
        if values is not None:
            dtype = np.dtype(str(item.findtext(f"{{{INFERENCE}}}dtype"))).newbyteorder("<")
            raw = np.array([float(str(value.text)) for value in values], dtype)
            item.remove(values)
            etree.SubElement(item, f"{{{INFERENCE}}}content").text = base64.b64encode(raw.tobytes()).decode()
    reply = post(service, request_body)
    answered = named(reply, "series").findtext(f".//{{{INFERENCE}}}content")
    assert np.frombuffer(base64.b64decode(str(answered)), "<f4").tolist() == [1.5, 2.5, 3.5]
    assert named(reply, "note").findtext(f".//{{{INFERENCE}}}strings/{{{INFERENCE}}}item") == "你好 & <ü>"


def test_predict_with_output_names_answers_those_in_that_order(service: Service, request_body: etree._Element) -> None:
    names = etree.SubElement(node(request_body, "predict"), f"{{{INFERENCE}}}outputNames")
    for name in ("note", "flag"):
        etree.SubElement(names, f"{{{INFERENCE}}}item").text = name
    root = etree.fromstring(post(service, request_body).body)
    assert [item.text for item in root.iter(f"{{{INFERENCE}}}name")] == ["note", "flag"]


def replace_first(request: etree._Element, old: str, new: str) -> bytes:
    text = etree.tostring(request, encoding="unicode")
    assert old in text
    return text.replace(old, new, 1).encode()


MODEL_NAME = "<modelName>kinds</modelName>"
NIL = '<version xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (MODEL_NAME, "<modelName>nothing</modelName>", "unknown-model"),
        (MODEL_NAME, "<modelName>../etc</modelName>", "unknown-model"),
        (NIL, "<version>9</version>", "unknown-version"),
        (NIL, "<version>-1</version>", "unknown-version"),
        (NIL, f"{NIL}<label>canary</label>", "unknown-label"),
        (NIL, f"{NIL}<signature>train</signature>", "unknown-signature"),
    ],
)
def test_predict_for_what_is_not_there_is_model_not_found(
    service: Service, request_body: etree._Element, old: str, new: str, code: str
) -> None:
    reply = service.post(replace_first(request_body, old, new), "inference")
    assert detail(reply, "ModelNotFound")["code"] == code


@pytest.mark.parametrize(
    ("version", "answered"), [("<version>1</version>", "1"), (f"{NIL}<label>stable</label>", "1"), (NIL, "2")]
)
def test_predict_takes_the_version_asked_for(
    service: Service, request_body: etree._Element, version: str, answered: str
) -> None:
    reply = service.post(replace_first(request_body, NIL, version), "inference")
    assert find(reply, "modelVersion") == answered


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("<name>flag</name>", "<name>flog</name>", "unexpected", "flog"),
        ("<name>flag</name>", "<name>count</name>", "ambiguous-values", "inputs[1].name"),
        ("<item>1</item>", "<item>2</item>", "wrong-shape", "inputs[0].tensor.longs"),
        ("<dtype>bool</dtype>", "<dtype>int32</dtype>", "wrong-dtype", "flag"),
        ("<longs>", "<longs><item>7</item>", "wrong-shape", "inputs[0].tensor.longs"),
    ],
)
def test_predict_with_bad_tensors_names_the_field(
    service: Service, request_body: etree._Element, old: str, new: str, code: str, field: str
) -> None:
    text = etree.tostring(request_body)
    flat = etree.fromstring(text, etree.XMLParser(remove_blank_text=True))
    fault = detail(service.post(replace_first(flat, old, new), "inference"))
    assert (fault["code"], fault["field"]) == (code, field)


def test_predict_with_unknown_output_names_the_known(service: Service, request_body: etree._Element) -> None:
    names = etree.SubElement(node(request_body, "predict"), f"{{{INFERENCE}}}outputNames")
    etree.SubElement(names, f"{{{INFERENCE}}}item").text = "nothing"
    fault = detail(post(service, request_body))
    assert fault["field"] == "outputNames[0]"
    assert "note" in fault["expected"]


def test_version_and_label_together_are_invalid_input(service: Service, request_body: etree._Element) -> None:
    both = "<version>1</version><label>stable</label>"
    fault = detail(service.post(replace_first(request_body, NIL, both), "inference"))
    assert (fault["code"], fault["field"]) == ("ambiguous-version", "label")


def test_predict_keeps_what_the_typed_contract_promises_the_graph(
    service: Service, request_body: etree._Element
) -> None:
    flat = etree.fromstring(etree.tostring(request_body), etree.XMLParser(remove_blank_text=True))
    fault = detail(service.post(replace_first(flat, "<item>one</item>", f"<item>{'x' * 65}</item>"), "inference"))
    assert (fault["code"], fault["field"]) == ("too-large", "words")


def test_get_model_tells_inputs_and_outputs(service: Service) -> None:
    with service.manager.handle("kinds") as servable:
        sample = inference_samples(service.endpoint("inference"), servable)["getModel"]
    reply = service.post(sample, "inference")
    grid = named_spec(reply, "grid")
    assert [item.text for item in grid.iter(f"{{{INFERENCE}}}item")][-3:] == ["-1", "2", "3"]
    assert find(reply, "maxBatch") == "8"
    assert named_spec(reply, "offset").findtext(f"{{{INFERENCE}}}optional") == "true"


def named_spec(reply: Reply, name: str) -> etree._Element:
    root = etree.fromstring(reply.body)
    return next(spec for spec in root.iter(f"{{{INFERENCE}}}item") if spec.findtext(f"{{{INFERENCE}}}name") == name)


def test_list_models_tells_every_version(service: Service) -> None:
    with service.manager.handle("kinds") as servable:
        sample = inference_samples(service.endpoint("inference"), servable)["listModels"]
    root = etree.fromstring(service.post(sample, "inference").body)
    assert [version.text for version in root.iter(f"{{{INFERENCE}}}modelVersion")] == ["1", "2"]
    assert {state.text for state in root.iter(f"{{{INFERENCE}}}state")} == {"AVAILABLE"}
