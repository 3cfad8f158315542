"""Tensors and numbers on the wire: every dtype, both carriers, both ways."""

from __future__ import annotations

import math

import numpy as np
import pytest

from soapsvc.errors import InvalidInput
from soapsvc.model.dtypes import Array
from soapsvc.soap.tensors import tensor_record, tensor_value
from soapsvc.soap.text import escape, number, numbers

ARRAYS: dict[str, Array] = {
    "float32": np.array([[0.1, -1.5], [math.nan, math.inf]], np.float32),
    "float64": np.array([0.1, 1e300, -math.inf]),
    "int32": np.array([-(2**31), 2**31 - 1], np.int32),
    "int64": np.array([-(2**63), 2**63 - 1]),
    "uint8": np.arange(6, dtype=np.uint8).reshape(1, 2, 3),
    "bool": np.array([True, False]),
    "string": np.array(["你好".encode(), b""], dtype=object),
    "scalar": np.array(2.5),
    "empty": np.zeros((0, 4), np.float32),
}


@pytest.mark.parametrize("as_content", [False, True])
@pytest.mark.parametrize("name", ARRAYS)
def test_tensor_comes_back_as_it_went(name: str, as_content: bool) -> None:
    array = ARRAYS[name]
    back = tensor_value(tensor_record(array, as_content), "t")
    assert back.array.dtype == array.dtype
    assert back.array.shape == array.shape
    assert np.array_equal(back.array, array, equal_nan=array.dtype.kind == "f")
    assert back.as_content == as_content


def test_tensor_content_is_little_endian_whatever_the_array() -> None:
    record = tensor_record(np.array([1], ">i4"), as_content=True)
    assert record[-1] == b"\x01\x00\x00\x00"


def test_tensor_content_of_bools_holds_only_0_and_1() -> None:
    with pytest.raises(InvalidInput, match=r"t\.content: expected 0 or 1 for bool, received 2"):
        tensor_value(("bool", np.array([2]), None, None, None, b"\x01\x02"), "t")


@pytest.mark.parametrize("content", [b"\x01", b"\x02\x00\x00\x00a", b"\x01\x00\x00\x00ab", b"\xff\xff\xff\xffab"])
def test_tensor_content_of_strings_that_is_cut_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"t\.content: expected"):
        tensor_value(("string", np.array([1]), None, None, None, content), "t")


def test_tensor_values_that_do_not_fit_are_named() -> None:
    with pytest.raises(InvalidInput, match=r"t\.longs\[0\]: expected a value that fits uint8, received 256"):
        tensor_value(("uint8", np.array([1]), None, np.array([256]), None, None), "t")


def test_tensor_of_too_high_rank_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at most 8 dimensions"):
        tensor_value(("float32", np.ones(9, np.int64), np.ones(1), None, None, None), "t")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(0.1), "0.1"), (0.1, "0.1"), (np.float32(1e-5), "1e-05"), (1e22, "1e+22"), (math.nan, "NaN"),
        (math.inf, "INF"), (np.float32(-math.inf), "-INF"), (True, "true"), (np.bool_(False), "false"),
        (np.uint8(200), "200"), (-(2**63), "-9223372036854775808"),
    ],
)  # fmt: skip
def test_number_is_spelled_as_xml_schema_wants(value: object, text: str) -> None:
    assert number(value) == text


def test_numbers_read_back_as_the_same_float32() -> None:
    values = np.random.default_rng(1).normal(size=1000).astype(np.float32)
    assert np.array_equal(np.array([np.float32(text) for text in numbers(values)]), values)


def test_escape_replaces_what_xml_cannot_hold() -> None:
    assert escape('a\x00b\x0b<&>"\r\ud800\uffff\tü') == "a\ufffdb\ufffd&lt;&amp;&gt;&quot;&#13;\ufffd\ufffd\tü"


def test_float32_whose_shortest_digits_round_twice_reads_back_through_a_double() -> None:
    value = np.uint32(0x15AE43FD).view(np.float32)
    for one in (value, -value):
        assert float(number(one)) != float(str(one))
        assert [np.float32(float(text)) for text in (number(one), *numbers(np.array([one, np.inf], np.float32)))] == [
            one, one, np.inf,
        ]  # fmt: skip
    assert number(7.038531e-26) == "7.038531e-26"
