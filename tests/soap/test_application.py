"""Whole calls, from the bytes of a request to the bytes of its answer."""

from __future__ import annotations

import base64
import logging

import pytest
from lxml import etree

from soapsvc.errors import ServingError
from soapsvc.soap.call import Call, Pin
from soapsvc.soap.envelope import ContentType
from soapsvc.soap.faults import FAULT_FOR
from soapsvc.soap.ns import SoapVersion
from tests.soap.conftest import Service, envelope
from tests.soap.messages import MEMBERS, NS, PNG, detail, fault_code, find, members, predict, tensor

SOAP = list(SoapVersion)


@pytest.mark.parametrize("soap", SOAP)
def test_predict_with_every_kind_answers_what_it_was_given(service: Service, soap: SoapVersion) -> None:
    reply = service.post(envelope(predict(), soap), soap=soap)
    assert reply.status == 200
    assert reply.content_type == soap.content_type
    assert [find(reply, name) for name in ("flag", "count", "total", "level", "ratio", "shifted", "note")] == [
        "true", "-3", "1099511627776", "200", "0.1", "1.0", "你好 & <ü>",
    ]  # fmt: skip
    assert find(reply, "scores/item/label") == "right"
    assert find(reply, "scores/item/score") == "0.75"
    assert find(reply, "series/item") == "1.5"
    assert find(reply, "codes/item") == "7"
    assert find(reply, "words/item") == "one"
    assert find(reply, "grid/dtype") == "float32"
    assert find(reply, "grid/doubles/item") == "0.0"
    pixels = base64.b64decode(find(reply, "pixels/content") or "")
    assert list(pixels) == [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]
    assert find(reply, "modelVersion") == "2"


def test_predict_answer_fits_the_published_schema(service: Service) -> None:
    schema = service.endpoint().wsdl.find(".//{http://www.w3.org/2001/XMLSchema}schema")
    assert schema is not None
    validator = etree.XMLSchema(etree.fromstring(etree.tostring(schema)))
    for body in (predict(), f'<getModelInfo xmlns="{NS}"/>', batch(members(), members())):
        answer = etree.fromstring(service.post(envelope(body)).body)[0][0]
        assert validator.validate(answer), validator.error_log


@pytest.mark.parametrize("special", ["NaN", "INF", "-INF"])
def test_predict_passes_special_numbers_both_ways(service: Service, special: str) -> None:
    reply = service.post(envelope(predict(ratio=special, series=f"<item>{special}</item>")))
    assert find(reply, "ratio") == special
    assert find(reply, "series/item") == special


def test_predict_with_nil_option_leaves_the_default(service: Service) -> None:
    nil = '<offset xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
    body = predict().replace("<offset>0.5</offset>", nil)
    assert find(service.post(envelope(body)), "shifted") == "0.0"


def test_predict_with_content_tensor_answers_content(service: Service) -> None:
    raw = base64.b64encode(b"\x00\x00\x80\x3f" * 6).decode()
    reply = service.post(envelope(predict(grid=tensor("float32", "2 3", f"<content>{raw}</content>"))))
    assert find(reply, "grid/content") == raw


def batch(*instances: str) -> str:
    items = "".join(f"<item>{instance}</item>" for instance in instances)
    return f'<predictBatch xmlns="{NS}"><instances>{items}</instances></predictBatch>'


def test_predict_batch_keeps_the_order(service: Service) -> None:
    reply = service.post(envelope(batch(*(members(count=str(number)) for number in range(5)))))
    counts = etree.fromstring(reply.body).findall(f".//{{{NS}}}count")
    assert [node.text for node in counts] == ["0", "1", "2", "3", "4"]


def test_predict_batch_with_unlike_shapes_answers_each(service: Service) -> None:
    short, long = members(series="<item>1</item>"), members(series="<item>1</item><item>2</item><item>3</item>")
    reply = service.post(envelope(batch(short, long, short)))
    series = etree.fromstring(reply.body).findall(f".//{{{NS}}}series")
    assert [len(node) for node in series] == [1, 3, 1]


def test_predict_batch_empty_is_refused(service: Service) -> None:
    assert detail(service.post(envelope(batch())))["code"] == "empty"


def test_predict_batch_over_the_cap_is_refused(service: Service) -> None:
    fault = detail(service.post(envelope(batch(*[members()] * 9))))
    assert (fault["code"], fault["field"], fault["expected"], fault["received"]) == (
        "too-large", "instances", "at most 8", "9",
    )  # fmt: skip


def test_predict_batch_error_names_the_instance(service: Service) -> None:
    fault = detail(service.post(envelope(batch(members(), members(level="256")))))
    assert (fault["code"], fault["field"], fault["received"]) == ("out-of-range", "instances[1].level", "256")


BAD_INPUTS = {
    "missing element": (predict(ratio=None), "missing", "ratio"),
    "missing last element": (predict(picture=None), "missing", "picture"),
    "extra element": (predict(picture=f"{PNG}</picture><more>1</more><picture>"), "unexpected", "more"),
    "text for a number": (predict(ratio="abc"), "wrong-type", "ratio"),
    "number for a bool": (predict(flag="2"), "wrong-type", "flag"),
    "fraction for an int": (predict(count="1.5"), "wrong-type", "count"),
    "int too large": (predict(count="2147483648"), "wrong-type", "count"),
    "long too large": (predict(total="9223372036854775808"), "wrong-type", "total"),
    "uint8 too large": (predict(level="256"), "out-of-range", "level"),
    "float32 too large": (predict(series="<item>1e39</item>"), "out-of-range", "series[0]"),
    "text too long": (predict(note="x" * 65), "too-large", "note"),
    "vector too long": (predict(series="<item>1</item>" * 6), "too-large", "series"),
    "base64 that is none": (predict(picture="!!!"), "wrong-type", "picture"),
    "picture that is none": (predict(picture="aGVsbG8="), "bad-image", "picture"),
    "tensor of another dtype": (
        predict(grid=tensor("float64", "2 3", "<doubles>" + "<item>1</item>" * 6 + "</doubles>")),
        "wrong-dtype", "grid",
    ),
    "tensor of another rank": (
        predict(grid=tensor("float32", "6", "<doubles>" + "<item>1</item>" * 6 + "</doubles>")), "wrong-shape", "grid",
    ),
    "negative shape": (predict(grid=tensor("float32", "-2 -3", "<doubles/>")), "wrong-shape", "grid.shape"),
    "overflowing shape": (
        predict(grid=tensor("float32", "4294967296 4294967296", "<doubles/>")), "too-large", "grid.shape",
    ),
    "empty and enormous shape": (
        predict(grid=tensor("float32", "0 4294967296 4294967296", "<doubles/>")), "too-large", "grid.shape",
    ),
    "shape and values disagree": (
        predict(grid=tensor("float32", "2 3", "<doubles><item>1</item></doubles>")), "wrong-shape", "grid.doubles",
    ),
    "shape and content disagree": (
        predict(grid=tensor("float32", "2 3", "<content>AAAA</content>")), "wrong-shape", "grid.content",
    ),
    "two carriers": (
        predict(grid=tensor("float32", "1", "<doubles><item>1</item></doubles><content>AAAA</content>")),
        "ambiguous-values", "grid",
    ),
    "no carrier": (predict(grid=tensor("float32", "1", "")), "ambiguous-values", "grid"),
    "wrong carrier": (predict(grid=tensor("float32", "0", "<longs/>")), "wrong-carrier", "grid.longs"),
    "unknown dtype": (predict(grid=tensor("float16", "0", "<doubles/>")), "wrong-type", "grid.dtype"),
}  # fmt: skip


@pytest.mark.parametrize("soap", SOAP)
@pytest.mark.parametrize("name", BAD_INPUTS)
def test_predict_with_bad_input_names_the_field(service: Service, soap: SoapVersion, name: str) -> None:
    body, code, field = BAD_INPUTS[name]
    reply = service.post(envelope(body, soap), soap=soap)
    fault = detail(reply)
    assert (fault["code"], fault["field"]) == (code, field)
    assert fault["expected"]
    assert fault["received"]
    assert fault["requestId"] == "test-request"
    assert reply.status == 500
    assert fault_code(reply) == ("Client" if soap is SoapVersion.SOAP11 else "Sender", soap)


def test_pinned_version_answers_with_that_version(service: Service) -> None:
    for pin, expected in ((Pin(version=1), "1"), (Pin(label="stable"), "1"), (Pin(), "2")):
        reply = service.endpoint().answer(envelope(predict()), ContentType("text/xml"), Call("r", pin))
        assert find(reply, "modelVersion") == expected


def test_pinned_version_that_is_not_loaded_is_model_not_found(service: Service) -> None:
    for pin, code in ((Pin(version=9), "unknown-version"), (Pin(label="canary"), "unknown-label")):
        reply = service.endpoint().answer(envelope(predict()), ContentType("text/xml"), Call("r", pin))
        assert detail(reply, "ModelNotFound")["code"] == code


def test_unforeseen_error_says_nothing_but_the_request_id(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr("soapsvc.model.binding.Binding.pack", fail)
    with caplog.at_level(logging.ERROR):
        reply = service.post(envelope(predict()))
    assert fault_code(reply)[0] == "Server"
    assert find(reply, "faultstring") == "Internal Error (request test-request)"
    assert b"secret" not in reply.body
    assert "test-request" in caplog.text
    assert "/secret/path" in caplog.text


def test_every_serving_error_has_a_fault() -> None:
    assert set(FAULT_FOR) == set(ServingError.__subclasses__())


def test_call_is_filled_in_for_the_log(service: Service) -> None:
    call = Call("r")
    service.endpoint().answer(envelope(predict(level="256")), ContentType("text/xml"), call)
    assert (call.operation, call.version, call.outcome) == ("predict", 2, "InvalidInput")


def test_members_of_the_sample_are_those_of_the_contract(service: Service) -> None:
    with service.manager.handle("kinds") as servable:
        assert [field.element for field in servable.contract.inputs] == list(MEMBERS)
