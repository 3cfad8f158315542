"""Answers, faults and forms in the words and shapes of a page, without a server."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from soapsvc.console.try_answer import Box, boxes_of, parts_of
from soapsvc.console.try_controls import Control, Posted
from soapsvc.console.try_drawing import unpacked
from soapsvc.console.try_fault import words_of
from soapsvc.console.try_message import message
from soapsvc.model.contract import OutputField
from soapsvc.soap.answer import ReceivedFault
from soapsvc.soap.excerpt import excerpt
from soapsvc.soap.ns import ContractNames, SoapVersion


def output(kind: Any, element: str = "x", members: tuple[OutputField, ...] = (), dtype: Any = "float32") -> OutputField:
    return OutputField(element, kind, dtype, "x:0", None, members=members)


def test_bars_of_shares_are_percents_of_the_whole() -> None:
    (part,) = parts_of([output("scoredLabels")], [[("a", 0.75), ("b", 0.2499), ("c", 0.0001)]])
    assert [(bar.label, bar.text, bar.width) for bar in part.bars] == [
        ("a", "75.0%", 75.0),
        ("b", "25.0%", 24.99),
        ("c", "< 0.1%", 0.01),
    ]


def test_bars_of_other_scores_are_parts_of_the_largest() -> None:
    (part,) = parts_of([output("scoredLabels")], [[("a", 8.0), ("b", -4.0), ("c", float("nan"))]])
    assert [(bar.text, bar.width) for bar in part.bars] == [("8", 100.0), ("-4", 50.0), ("NaN", 0.0)]


def test_numbers_are_short_and_spelled_as_in_xml() -> None:
    values = [1.0, 0.123456789, float("inf"), np.float64("nan"), 2**40, True]
    assert [part.text for part in parts_of([output("scalar")] * 6, values)] == [
        "1", "0.123457", "INF", "NaN", "1099511627776", "true",
    ]  # fmt: skip


def test_long_vector_is_told_by_its_first_values_and_its_range() -> None:
    (part,) = parts_of([output("vector")], [np.arange(100.0)])
    assert part.text == "100 values: 0, 1, 2, 3, 4, 5, 6, 7, … (least 0, mean 49.5, greatest 99)"


def test_tensor_is_told_with_dtype_and_shape() -> None:
    record = ("float32", np.array([2, 2]), np.array([1.0, 2.0, 3.0, 4.0]), None, None, None)
    assert parts_of([output("tensor")], [record])[0].text == "float32, 2 by 2: 1, 2, 3, 4"


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (("x", "y", "width", "height"), (1, 2, 30, 40)),
        (("left", "top", "right", "bottom"), (1, 2, 31, 42)),
        (("xMin", "yMin", "xMax", "yMax"), (1, 2, 31, 42)),
    ],
)
def test_records_with_a_box_are_boxes_with_their_label(names: tuple[str, ...], values: tuple[float, ...]) -> None:
    box = output("columns", "box", tuple(output("scalar", name) for name in names))
    records = output("records", "found", (box, output("scoredLabels", "digit")))
    assert boxes_of([records], [[(values, [("7", 0.9)])]]) == [Box(1, 2, 30, 40, "7")]


def test_records_without_a_box_are_none() -> None:
    point = output("columns", "point", (output("scalar", "x"), output("scalar", "y")))
    assert boxes_of([output("records", "found", (point,))], [[((1, 2),)]]) == []


def test_fault_of_a_value_names_its_element_and_row() -> None:
    members = {"code": "wrong-type", "message": "m", "requestId": "1", "field": "instances[3].petalWidth",
               "expected": "a number", "received": "'wide'"}  # fmt: skip
    words = words_of(ReceivedFault("m", "InvalidInput", members))
    assert words.sentence == "instances[3].petalWidth: expected a number, received 'wide'."
    assert (words.field, words.row, words.code) == ("petalWidth", 3, "wrong-type")


@pytest.mark.parametrize(
    ("field", "place"), [("petalWidth", ("petalWidth", 0)), ("grid.shape", ("grid", 0)), ("codes[7]", ("codes", 0))]
)
def test_place_of_a_fault_is_the_control_that_holds_it(field: str, place: tuple[str, int]) -> None:
    words = words_of(ReceivedFault("", "InvalidInput", {"field": field}))
    assert (words.field, words.row) == place


def test_fault_of_a_full_queue_says_when_to_come_again() -> None:
    words = words_of(ReceivedFault("", "Overloaded", {"message": "too many calls wait", "retryAfterSeconds": "1"}))
    assert words.sentence == "Too many calls wait."
    assert "send it again in 1 second." in words.advice


def test_fault_without_a_type_is_told_in_its_own_words() -> None:
    assert words_of(ReceivedFault("a DOCTYPE is not allowed", "", {})).sentence == "A DOCTYPE is not allowed."


NAMES = ContractNames("iris", 1)


def control(kind: Any, value: str, optional: bool = False, **more: Any) -> Control:
    return Control("x", kind, "", "", optional, value, **more)


@pytest.mark.parametrize(
    ("given", "element"),
    [
        (control("value", "wide"), "<x>wide</x>"),
        (control("value", ""), "<x></x>"),
        (control("text", "a <b> & \x00c"), "<x>a &lt;b&gt; &amp; \ufffdc</x>"),
        (control("text", "", optional=True), ""),
        (control("items", " 1, 2;3\n4 "), "<x><item>1</item><item>2</item><item>3</item><item>4</item></x>"),
        (control("lines", "a, b\n\nc"), "<x><item>a, b</item><item></item><item>c</item></x>"),
        (control("image", "", sample=b"abc"), "<x>YWJj</x>"),
        (
            control("tensor", "1 2", dtype="int32", carrier="longs", shape="1, 2"),
            "<x><dtype>int32</dtype><shape><item>1</item><item>2</item></shape>"
            "<longs><item>1</item><item>2</item></longs></x>",
        ),
    ],
)
def test_message_holds_what_was_written(given: Control, element: str) -> None:
    envelope = message(NAMES, SoapVersion.SOAP11, "predict", [[given]], "").decode()
    assert f'<soap:Body><predict xmlns="urn:soapsvc:iris:v1">{element}</predict></soap:Body>' in envelope


def test_message_of_a_batch_has_an_item_for_each_row() -> None:
    rows = [[control("value", "1")], [control("value", "2")]]
    envelope = message(NAMES, SoapVersion.SOAP12, "predictBatch", rows, "").decode()
    assert "<instances><item><x>1</x></item><item><x>2</x></item></instances>" in envelope
    assert SoapVersion.SOAP12.envelope in envelope


def test_message_of_a_conversation_names_its_session() -> None:
    envelope = message(NAMES, SoapVersion.SOAP11, "reply", [[control("text", "hi")]], "s1").decode()
    assert "<sessionId>s1</sessionId><x>hi</x>" in envelope


def test_control_keeps_its_picture_where_none_was_sent() -> None:
    sample = control("image", "", sample=b"sample")
    assert sample.filled(Posted({}, {"0.x": b""}), 0).content == b"sample"
    assert sample.filled(Posted({}, {"0.x": b"sent"}), 0).content == b"sent"


def test_line_ends_of_a_form_are_those_that_were_typed() -> None:
    assert control("text", "").filled(Posted({"0.x": "a\r\nb"}, {}), 0).value == "a\nb"


@pytest.mark.parametrize("turns", ["", "no json", "[1]", '[["a"]]', '{"a": 1}', "null"])
def test_turns_that_the_page_did_not_write_are_none(turns: str) -> None:
    assert unpacked("s1", turns).turns == []


def test_excerpt_cuts_long_texts_and_long_arrays() -> None:
    items = "".join(f"<item>{number}</item>" for number in range(500))
    shown = excerpt(f"<a><b>{'x' * 5000}</b><c>{items}</c></a>".encode())
    assert f"<b>{'x' * 60}… (5,000 characters)</b>" in shown
    assert "<item>19</item>" in shown
    assert "<!-- 480 more -->" in shown
    assert "<item>20</item>" not in shown


@pytest.mark.parametrize(
    "message",
    [
        b"no <xml",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<a>" * 100_000 + b"</a>" * 100_000,
        b"\xff\xfe",
    ],
)
def test_excerpt_of_what_the_guard_refuses_is_its_beginning(message: bytes) -> None:
    assert excerpt(message) == message[:2000].decode("utf-8", "replace")
