"""Golden calls are read at the level of tensors; what does not fit is named with its line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soapsvc.model.golden import GoldenCall, differences, read_golden
from soapsvc.model.signature import Signature, TensorSpec
from tests.model.folders import reason

SIGNATURE = Signature(
    {
        "x": TensorSpec("x", "x:0", "float32", ("batch", 2)),
        "n": TensorSpec("n", "n:0", "int32", ("batch",)),
        "b": TensorSpec("b", "b:0", "bool", ("batch",)),
        "s": TensorSpec("s", "s:0", "string", ("batch", None)),
        "u": TensorSpec("u", "u:0", "uint8", ()),
    },
    {"y": TensorSpec("y", "y:0", "float64", ("batch",))},
)


def read(tmp_path: Path, content: str | bytes) -> list[GoldenCall]:
    path = tmp_path / "warmup.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_golden(path, SIGNATURE, "m/1/warmup.jsonl")


def inputs(tmp_path: Path, values: str) -> dict[str, Any]:
    return read(tmp_path, f'{{"inputs": {values}}}')[0].inputs


def test_call_is_read_in_the_dtypes_of_the_signature(tmp_path: Path) -> None:
    [call] = read(
        tmp_path, '{"inputs": {"x": [[1, 2.5]], "n": [-3], "b": [true], "u": 255}, "outputs": {"y": [0.5]}}\n'
    )
    assert call.where == "m/1/warmup.jsonl:1"
    assert {name: (value.dtype.name, value.tolist()) for name, value in call.inputs.items()} == {
        "x": ("float32", [[1.0, 2.5]]), "n": ("int32", [-3]), "b": ("bool", [True]), "u": ("uint8", 255),
    }  # fmt: skip
    assert (call.outputs["y"].dtype.name, call.outputs["y"].tolist()) == ("float64", [0.5])


def test_nan_and_infinity_are_read(tmp_path: Path) -> None:
    assert np.array_equal(inputs(tmp_path, '{"x": [[NaN, -Infinity]]}')["x"], [[np.nan, -np.inf]], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[["a", "ü"]]', [[b"a", "ü".encode()]]),
        ('[[{"b64": "/wA="}], ["b"]]', [[b"\xff\0"], [b"b"]]),
        ('"alone"', b"alone"),
        ("[[]]", [[]]),
        ("[]", []),
    ],
)
def test_strings_are_read_at_any_depth(tmp_path: Path, text: str, expected: Any) -> None:
    array = inputs(tmp_path, f'{{"s": {text}}}')["s"]
    assert (array.dtype, array.tolist()) == (np.dtype(object), expected)


def test_calls_are_numbered_by_their_lines(tmp_path: Path) -> None:
    calls = read(tmp_path, '{"inputs": {}}\r\n\r\n  \n{"inputs": {}}')
    assert [call.where for call in calls] == ["m/1/warmup.jsonl:1", "m/1/warmup.jsonl:4"]
    assert calls[0].outputs == {}


def test_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    assert len(read(tmp_path, b'\xef\xbb\xbf{"inputs": {}}\n')) == 1


def test_line_separator_inside_a_string_ends_no_line(tmp_path: Path) -> None:
    assert inputs(tmp_path, '{"s": [["a\u2028b\x85"]]}')["s"].tolist() == [["a\u2028b\x85".encode()]]


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_file_of_no_call_is_refused(tmp_path: Path, content: str) -> None:
    assert reason(lambda: read(tmp_path, content)) == "m/1/warmup.jsonl: holds no call"


@pytest.mark.parametrize(("content", "kind"), [(b"\xff\xfe{", "UnicodeDecodeError"), (None, "FileNotFoundError")])
def test_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, kind: str) -> None:
    path = tmp_path / "w.jsonl"
    if content is not None:
        path.write_bytes(content)
    assert reason(lambda: read_golden(path, SIGNATURE, "w.jsonl")) == f"w.jsonl: can't be read: {kind}"


@pytest.mark.parametrize(
    "line",
    [
        "{", "[]", "1", "null", '"x"', "{}", '{"outputs": {}}', '{"inputs": 1}', '{"inputs": null}', '{"inputs": "x"}',
        '{"inputs": {}, "outputs": null}', '{"inputs": {}, "outputs": [1]}', '{"inputs": {}} {"inputs": {}}',
    ],
)  # fmt: skip
def test_line_of_another_form_is_refused(tmp_path: Path, line: str) -> None:
    message = reason(lambda: read(tmp_path, '{"inputs": {}}\n' + line))
    assert message == 'm/1/warmup.jsonl:2: expected {"inputs": {…}, "outputs": {…}}'


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_unknown_name_is_refused_with_those_that_are_known(tmp_path: Path, side: str) -> None:
    known = {"inputs": "x, n, b, s, u", "outputs": "y"}[side]
    message = reason(lambda: read(tmp_path, json.dumps({"inputs": {}} | {side: {"z": 1}})))
    assert message == f"m/1/warmup.jsonl:1: z is not in the signature; it has {known}"


@pytest.mark.parametrize(
    ("name", "value", "spec"),
    [
        ("x", '"word"', "float32 [batch, 2]"),
        ("x", '[["1", "2"]]', "float32 [batch, 2]"),
        ("x", "[[1, 2], [3]]", "float32 [batch, 2]"),
        ("x", "null", "float32 [batch, 2]"),
        ("x", "[[true, false]]", "float32 [batch, 2]"),
        ("x", '{"b64": "AA=="}', "float32 [batch, 2]"),
        ("n", "[1.5]", "int32 [batch]"),
        ("n", "[2147483648]", "int32 [batch]"),
        ("n", f"[{10**30}]", "int32 [batch]"),
        ("n", "[true]", "int32 [batch]"),
        ("u", "300", "uint8 []"),
        ("u", "-1", "uint8 []"),
        ("b", '["false"]', "bool [batch]"),
        ("b", "[0.5]", "bool [batch]"),
        ("s", "[[5]]", "string [batch, any]"),
        ("s", "[[null]]", "string [batch, any]"),
        ("s", '[["a"], ["b", "c"]]', "string [batch, any]"),
        ("s", '[[{"b64": "*"}]]', "string [batch, any]"),
        ("s", '[[{"base64": "AA=="}]]', "string [batch, any]"),
        ("s", '[[{"b64": 5}]]', "string [batch, any]"),
    ],
)
def test_value_of_another_dtype_is_refused(tmp_path: Path, name: str, value: str, spec: str) -> None:
    message = reason(lambda: inputs(tmp_path, f'{{"{name}": {value}}}'))
    assert message == f"m/1/warmup.jsonl:1: {name} is no {spec}"


def compare(expected: Any, answered: Any, dtype: Any = np.float64) -> str | None:
    return differences(np.asarray(expected, dtype), np.asarray(answered, dtype), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("expected", "answered", "dtype"),
    [
        ([1.0], [1.0009], np.float64),
        ([0.0], [9e-6], np.float32),
        ([np.nan, np.inf], [np.nan, np.inf], np.float32),
        ([], [], np.float32),
        (1.5, 1.5, np.float64),
        ([b"a"], [b"a"], object),
        ([True], [True], np.bool_),
        ([2**40], [2**40 + 1], np.int64),
    ],
)
def test_answers_within_the_tolerance_agree(expected: Any, answered: Any, dtype: Any) -> None:
    assert compare(expected, answered, dtype) is None


@pytest.mark.parametrize(
    ("expected", "answered", "dtype", "words"),
    [
        ([1.0, 2.0], [1.0, 2.5], np.float64, "the largest difference is 0.5, allowed are rtol 0.001 and atol 1e-05"),
        (1.0, 2.0, np.float32, "the largest difference is 1,"),
        ([0.0], [2e-5], np.float64, "the largest difference is 2e-05,"),
        ([1.0, 5.0], [np.nan, 5.0], np.float64, "the largest difference is nan,"),
        ([np.inf], [-np.inf], np.float64, "the largest difference is inf,"),
        ([np.nan, 1.0], [np.nan, 2.0], np.float64, "the largest difference is 1,"),
        ([3], [250], np.uint8, "the largest difference is 247,"),
        ([b"a"], [b"b"], object, "the values differ"),
        ([True], [False], np.bool_, "the values differ"),
        ([[1.0]], [1.0], np.float64, "expected shape [1, 1], answered [1]"),
    ],
)
def test_answers_beyond_the_tolerance_are_put_in_words(expected: Any, answered: Any, dtype: Any, words: str) -> None:
    assert (compare(expected, answered, dtype) or "").startswith(words)
