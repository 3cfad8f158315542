"""Values go into tensors and come back as they were, whatever their kind; what does not fit is named."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from soapsvc.errors import InvalidInput
from soapsvc.model.answers import ScoredLabels
from soapsvc.model.binding import Binding
from soapsvc.model.contract import Contract, InputField, OutputField
from soapsvc.model.contract_keys import Preprocess
from soapsvc.model.servable import Servable
from soapsvc.model.signature import Limits, Signature, TensorSpec
from soapsvc.model.values import cast_exactly, decoded

Values = dict[str, Any]


def row(servable: Servable, values: Values) -> list[Any]:
    return [values[field.element] for field in servable.contract.inputs]


def refusal(servable: Servable, *instances: Values) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        servable.binding.pack([row(servable, values) for values in instances], of_batch=len(instances) > 1)
    return caught.value


def answers(servable: Servable, *instances: Values) -> list[dict[str, Any]]:
    signature = servable.find_signature(None)
    made: list[dict[str, Any]] = []
    for count, feeds in servable.binding.pack([row(servable, values) for values in instances]):
        for answer in servable.binding.unpack(servable.run(signature, feeds), count):
            made.append(dict(zip((field.element for field in servable.contract.outputs), answer, strict=True)))
    return made


def one_of(
    x: InputField, shape: tuple[Any, ...], y: OutputField | None = None, out_shape: tuple[Any, ...] | None = None
) -> Binding:
    """Return the binding of a model of one input and one output."""
    y = y or OutputField("y", "tensor", "float32", "y", None)
    signature = Signature(
        {"x": TensorSpec("x", "x:0", x.dtype, shape)}, {"y": TensorSpec("y", "y:0", y.dtype, out_shape or shape)}
    )
    return Binding(Contract("m", 1, "", (x,), (y,)), signature, Limits())


def scored(scores: list[float], top: int | None = None) -> ScoredLabels:
    """Return the answer of a model of three labels."""
    y = OutputField("y", "scoredLabels", "float32", "y", (3,), labels=("a", "b", "c"), top=top)
    binding = one_of(InputField("x", "scalar", "float32", "x", ()), ("batch",), y, ("batch", 3))
    return binding.unpack({"y": np.array([scores], np.float32)}, 1)[0][0]


def test_every_kind_goes_in_and_comes_back(kinds: Servable, kinds_values: Values) -> None:
    answer = answers(kinds, kinds_values)[0]
    for element in ("flag", "count", "total", "level", "ratio", "note", "words"):
        assert answer[element] == kinds_values[element]
    for element in ("series", "codes", "grid"):
        assert np.array_equal(answer[element], kinds_values[element])
    assert answer["shifted"] == 1.0
    assert answer["pixels"].ravel().tolist() == list(range(1, 13))
    assert (answer["scores"].labels, answer["scores"].scores.tolist()) == (("right", "left"), [0.75, 0.25])


@pytest.mark.parametrize(
    "scores",
    [
        [0.2, 0.2, 0.6],
        [0.1, 0.1, 0.1],
        [0.0, -0.0, 0.0],
        [np.nan, 0.5, 0.1],
        [np.inf, np.nan, -np.inf],
        [1.0, 2.0, 3.0],
    ],
)
def test_few_scores_are_ranked_as_numpy_ranks_many(scores: list[float]) -> None:
    order = (-np.array(scores, np.float32)).argsort(kind="stable")
    found = scored(scores)
    assert found.labels == tuple("abc"[index] for index in order)
    np.testing.assert_array_equal(found.scores, np.array(scores, np.float32)[order])


def test_every_answer_keeps_the_dtype_of_its_tensor(kinds: Servable, kinds_values: Values) -> None:
    answer = answers(kinds, kinds_values)[0]
    found = {name: answer[name].dtype.name for name in ("flag", "count", "total", "level", "ratio", "series", "pixels")}
    assert found == {
        "flag": "bool", "count": "int32", "total": "int64", "level": "uint8", "ratio": "float64", "series": "float32",
        "pixels": "uint8",
    }  # fmt: skip
    assert answer["scores"].scores.dtype == np.float64


def test_instances_of_one_shape_are_stacked_into_one_run(kinds: Servable, kinds_values: Values) -> None:
    rows = [row(kinds, kinds_values | {"count": number}) for number in range(5)]
    runs = kinds.binding.pack(rows)
    assert [count for count, _ in runs] == [5]
    assert runs[0][1]["count"].tolist() == [0, 1, 2, 3, 4]
    assert runs[0][1]["pair"].shape == (5, 2)


@pytest.mark.parametrize("change", [{"words": ["three"]}, {"series": np.array([1.0])}, {"offset": None}])
def test_instances_of_several_shapes_run_one_by_one_in_order(
    kinds: Servable, kinds_values: Values, change: Values
) -> None:
    instances = [kinds_values | {"count": number} | (change if number % 2 else {}) for number in range(4)]
    assert [count for count, _ in kinds.binding.pack([row(kinds, values) for values in instances])] == [1] * 4
    got = answers(kinds, *instances)
    assert [answer["count"] for answer in got] == [0, 1, 2, 3]
    assert [answer["words"] for answer in got] == [values["words"] for values in instances]
    assert [answer["shifted"] for answer in got] == [2 * (values["offset"] or 0.0) for values in instances]


def test_optional_left_out_by_all_is_not_fed(kinds: Servable, kinds_values: Values) -> None:
    [(count, feeds)] = kinds.binding.pack([row(kinds, kinds_values | {"offset": None})] * 3)
    assert count == 3
    assert "offset" not in feeds


def test_required_value_left_out_is_named(kinds: Servable, kinds_values: Values) -> None:
    err = refusal(kinds, kinds_values | {"words": None})
    assert (err.code, err.field) == ("missing", "words")


def test_no_instance_is_refused(kinds: Servable) -> None:
    err = refusal(kinds)
    assert (err.code, err.field, err.received) == ("empty", "instances", "0")


def test_instances_over_the_limit_are_refused(kinds: Servable, kinds_values: Values) -> None:
    err = refusal(kinds, *[kinds_values] * 9)
    assert (err.code, err.field, err.expected, err.received) == ("too-large", "instances", "at most 8", "9")


@pytest.mark.parametrize(
    ("change", "code", "expected", "received"),
    [
        ({"count": 2**31}, "out-of-range", "a value that fits int32", "2147483648"),
        ({"count": -(2**31) - 1}, "out-of-range", "a value that fits int32", "-2147483649"),
        ({"count": 2**70}, "out-of-range", "a value that fits int32", "a larger one"),
        ({"total": 2**63}, "out-of-range", "a value that fits int64", "9223372036854775808"),
        ({"total": -(2**70)}, "out-of-range", "a value that fits int64", "a larger one"),
        ({"level": 256}, "out-of-range", "a value that fits uint8", "256"),
        ({"level": -1}, "out-of-range", "a value that fits uint8", "-1"),
        ({"offset": 1e39}, "out-of-range", "a value that fits float32", "1e+39"),
        ({"ratio": 10**400}, "out-of-range", "a value that fits float64", "a larger one"),
        ({"series": np.array([1.0, -1e300])}, "out-of-range", "a value that fits float32", "-1e+300"),
        ({"codes": np.array([1.5])}, "out-of-range", "a value that fits int64", "1.5"),
        ({"series": np.array([[1.0]])}, "wrong-shape", "shape [time]", "shape [1, 1]"),
        ({"series": np.zeros(6)}, "too-large", "time of at most 5", "6"),
        ({"codes": np.zeros(101, np.int64)}, "too-large", "at most 100 values", "101"),
        ({"grid": np.zeros((3, 2), np.float32)}, "wrong-shape", "shape [2, 3]", "shape [3, 2]"),
        ({"grid": np.zeros((2, 3))}, "wrong-dtype", "a tensor of float32", "float64"),
        ({"grid": np.zeros((2, 3), ">f4")}, "wrong-dtype", "a tensor of float32", "float32"),
        ({"note": "ü" * 33}, "too-large", "text of at most 64 bytes", "66 bytes"),
        ({"words": ["ok", "x" * 65]}, "too-large", "text of at most 64 bytes", "65 bytes"),
        ({"picture": b"GIF89a"}, "bad-image", "the bytes of a PNG or JPEG", "6 bytes that are neither"),
    ],
)
def test_value_that_does_not_fit_is_named(
    kinds: Servable, kinds_values: Values, change: Values, code: str, expected: str, received: str
) -> None:
    err = refusal(kinds, kinds_values | change)
    assert (err.code, err.field.split("[")[0], err.expected, err.received) == (
        code, next(iter(change)), expected, received,
    )  # fmt: skip


def test_value_in_a_vector_that_does_not_fit_is_named_with_its_index(kinds: Servable, kinds_values: Values) -> None:
    assert refusal(kinds, kinds_values | {"series": np.array([1.0, -1e300])}).field == "series[1]"


@pytest.mark.parametrize("change", [{"count": 2**31}, {"note": "x" * 65}, {"picture": b""}, {"left": 10**400}])
def test_value_that_does_not_fit_is_named_with_its_instance(
    kinds: Servable, kinds_values: Values, change: Values
) -> None:
    err = refusal(kinds, kinds_values, kinds_values, kinds_values | change)
    assert err.field == f"instances[2].{next(iter(change))}"


@pytest.mark.parametrize(
    "change",
    [
        {"count": 2**31 - 1, "total": 2**63 - 1, "level": 255},
        {"count": -(2**31), "total": -(2**63), "level": 0},
        {"ratio": 1.7976931348623157e308},
        {"ratio": float("-inf")},
        {"words": [], "codes": np.array([], np.int64)},
        {"note": "", "words": ["", "a\0", "\U0001f600"]},
    ],
    ids=["largest", "smallest", "largest-float", "infinite", "empty-vectors", "odd-texts"],
)
def test_value_at_the_edge_arrives_whole(kinds: Servable, kinds_values: Values, change: Values) -> None:
    answer = answers(kinds, kinds_values | change)[0]
    assert {name: np.array_equal(answer[name], value) for name, value in change.items()} == dict.fromkeys(change, True)


def test_float_rounded_to_float32_is_fine(kinds: Servable, kinds_values: Values) -> None:
    assert answers(kinds, kinds_values | {"offset": 0.1})[0]["shifted"] == np.float32(0.2)


def test_nan_passes_where_finite_is_not_asked(kinds: Servable, kinds_values: Values) -> None:
    answer = answers(kinds, kinds_values | {"left": float("nan"), "series": np.array([np.nan, np.inf])})[0]
    assert answer["series"].tolist() == pytest.approx([np.nan, np.inf], nan_ok=True)
    assert answer["scores"].labels == ("right", "left")


@pytest.mark.parametrize(("value", "shown"), [(float("nan"), "NaN"), (float("inf"), "INF"), (-float("inf"), "-INF")])
def test_value_not_finite_is_refused_where_finite_is_asked(value: float, shown: str) -> None:
    binding = one_of(InputField("size", "vector", "float32", "x", (2,), finite=True), ("batch", 2))
    with pytest.raises(InvalidInput) as caught:
        binding.pack([[np.array([1.0, value])]])
    assert (caught.value.code, caught.value.field, caught.value.received) == ("not-finite", "size[1]", shown)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_cast_exactly_names_the_first_value_that_does_not_fit(dtype: Any) -> None:
    with pytest.raises(InvalidInput, match=r"received 1e\+30"):
        cast_exactly(np.array([1.0, 2.0, 1e30, -1e30]), dtype, "x")


def test_row_of_is_the_way_back_from_pack(kinds: Servable, kinds_values: Values) -> None:
    sent = row(kinds, kinds_values)
    [(_, feeds)] = kinds.binding.pack([sent, row(kinds, kinds_values | {"count": 9})])
    back = kinds.binding.row_of(feeds)
    assert back[-1] is None  # a picture has no way back
    for one, other in zip(sent[:-1], back[:-1], strict=True):
        assert np.array_equal(one, other)
    again = kinds.binding.pack([[*back[:-1], sent[-1]]])[0][1]
    assert all(np.array_equal(again[name], feeds[name][:1]) for name in feeds)


def test_row_of_leaves_out_what_was_left_out(kinds: Servable, kinds_values: Values) -> None:
    elements = [field.element for field in kinds.contract.inputs]
    [(_, feeds)] = kinds.binding.pack([row(kinds, kinds_values | {"offset": None})])
    assert kinds.binding.row_of(feeds)[elements.index("offset")] is None


def test_row_of_an_encoded_image_is_its_bytes(png: bytes) -> None:
    binding = one_of(InputField("x", "image", "string", "x", ()), ("batch",))
    [(_, feeds)] = binding.pack([[png]])
    assert feeds["x"].tolist() == [png]
    assert binding.row_of(feeds) == [png]


def test_encoded_image_is_checked_before_it_goes_on() -> None:
    with pytest.raises(InvalidInput, match="x: expected the bytes of a PNG or JPEG"):
        one_of(InputField("x", "image", "string", "x", ()), ("batch",)).pack([[b"junk"]])


def test_image_for_integers_is_rounded(png: bytes) -> None:
    how = Preprocess(resize="nearest", range=(0, 127))
    binding = one_of(InputField("x", "image", "uint8", "x", (2, 2, 3), preprocess=how), ("batch", 2, 2, 3))
    [(_, feeds)] = binding.pack([[png]])
    assert feeds["x"].dtype == np.uint8
    assert feeds["x"].ravel().tolist() == [round(value * 127 / 255) for value in range(1, 13)]


def test_columns_of_strings_go_both_ways() -> None:
    fields = tuple(InputField(name, "scalar", "string", "x", (2,), column=at) for at, name in enumerate("ab"))
    spec = TensorSpec("x", "x:0", "string", ("batch", 2))
    signature = Signature({"x": spec}, {"x": spec})
    y = OutputField("y", "vector", "string", "x", (2,))
    binding = Binding(Contract("m", 1, "", fields, (y,)), signature, Limits())
    [(_, feeds)] = binding.pack([["ä", "b"], ["c", ""]])
    assert feeds["x"].tolist() == [["ä".encode(), b"b"], [b"c", b""]]
    assert binding.row_of(feeds) == ["ä", "b"]
    assert binding.unpack(feeds, 2) == [(["ä", "b"],), (["c", ""],)]


def test_scored_labels_come_best_first() -> None:
    answer = scored([0.1, 0.7, 0.2])
    assert (answer.labels, answer.scores.tolist()) == (("b", "c", "a"), pytest.approx([0.7, 0.2, 0.1]))


def test_scored_labels_of_one_score_keep_their_order() -> None:
    assert scored([0.5, 0.5, 0.5]).labels == ("a", "b", "c")


def test_scored_labels_put_nan_last() -> None:
    assert scored([float("nan"), -float("inf"), 0.1]).labels == ("c", "b", "a")


@pytest.mark.parametrize(
    ("top", "labels"), [(1, ("b",)), (2, ("b", "c")), (9, ("b", "c", "a")), (None, ("b", "c", "a"))]
)
def test_scored_labels_are_cut_at_top(top: int | None, labels: tuple[str, ...]) -> None:
    answer = scored([0.1, 0.7, 0.2], top)
    assert answer.labels == labels
    assert len(answer.scores) == len(labels)


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: np.asarray(value, dtype=object)])
def test_text_that_is_no_utf8_is_answered_with_replacements(wrap: Callable[[bytes], Any]) -> None:
    assert decoded(wrap(b"a\xffb")) == "a\ufffdb"
    assert decoded(wrap("ü".encode())) == "ü"


@pytest.mark.parametrize(("kind", "expected"), [("text", "a\ufffd"), ("vector", ["a\ufffd", "b"])])
def test_text_output_that_is_no_utf8_is_answered(kind: Any, expected: Any) -> None:
    shape = ("batch",) if kind == "text" else ("batch", None)
    y = OutputField("y", kind, "string", "y", shape[1:])
    binding = one_of(InputField("x", "scalar", "float32", "x", ()), ("batch",), y, shape)
    value: Any = [b"a\xff"] if kind == "text" else [[b"a\xff", b"b"]]
    assert binding.unpack({"y": np.array(value, dtype=object)}, 1) == [(expected,)]


@pytest.mark.parametrize("kind", ["scalar", "vector", "text"])
def test_unbatched_signature_runs_each_instance_alone(kind: Any) -> None:
    dtype: Any = "string" if kind == "text" else "float32"
    shape = (None,) if kind == "vector" else ()
    value = {"scalar": 1.5, "vector": np.array([1.5, 2.5]), "text": "ü"}[kind]
    binding = one_of(InputField("x", kind, dtype, "x", shape), shape, OutputField("y", kind, dtype, "y", shape))
    runs = binding.pack([[value], [value]])
    assert [(count, feeds["x"].shape) for count, feeds in runs] == [(1, np.shape(value))] * 2
    assert np.array_equal(binding.row_of(runs[0][1])[0], value)
    assert np.array_equal(binding.unpack({"y": runs[0][1]["x"]}, 1)[0][0], value)


def test_named_dim_must_agree_within_an_instance(kinds: Servable) -> None:
    fields = tuple(InputField(name, "vector", "float32", name, ("time",)) for name in "ab")
    specs = {name: TensorSpec(name, f"{name}:0", "float32", ("batch", "time")) for name in "ab"}
    contract = replace(kinds.contract, inputs=fields)
    binding = Binding(contract, Signature(specs, {}), Limits())
    binding.pack([[[1], [2]], [[1, 2], [3, 4]]])
    with pytest.raises(InvalidInput, match="b: expected time of 1, as in other inputs, received 2"):
        binding.pack([[[1], [3, 4]]])
