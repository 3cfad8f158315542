"""A call's inputs are checked whole before TensorFlow sees them."""

from typing import Any

import numpy as np
import pytest

from soapsvc.errors import InvalidInput
from soapsvc.model.signature import Limits, Signature, TensorSpec, show_shape

LIMITS = Limits(max_batch=4, max_elements=50, dims={"time": 3})
SIGNATURE = Signature(
    {
        "x": TensorSpec("x", "x:0", "float32", ("batch", 2)),
        "seq": TensorSpec("seq", "s:0", "int64", ("batch", "time"), optional=True),
        "mask": TensorSpec("mask", "m:0", "bool", ("batch", "time"), optional=True),
        "any": TensorSpec("any", "a:0", "string", None, optional=True),
        "free": TensorSpec("free", "f:0", "uint8", (None, 1), optional=True),
    },
    {"y": TensorSpec("y", "y:0", "float32", ("batch", 2))},
)
X = np.zeros((2, 2), np.float32)


def refusal(inputs: dict[str, Any], limits: Limits = LIMITS) -> tuple[str, str, str, str]:
    with pytest.raises(InvalidInput) as caught:
        SIGNATURE.check_inputs(inputs, limits)
    return caught.value.code, caught.value.field, caught.value.expected, caught.value.received


@pytest.mark.parametrize(
    "inputs",
    [
        {"x": X},
        {"x": np.full((4, 2), np.nan, np.float32)},
        {"x": np.full((1, 2), -np.inf, np.float32)},
        {"x": X, "seq": np.zeros((2, 3), np.int64), "mask": np.zeros((2, 3), np.bool_)},
        {"x": X, "seq": np.zeros((2, 0), np.int64)},
        {"x": X, "any": np.array([[[b"x"]]], dtype=object)},
        {"x": X, "any": np.array(b"x", dtype=object)},
        {"x": X, "free": np.zeros((0, 1), np.uint8)},
        {"x": X, "free": np.zeros((50, 1), np.uint8)},
        {"x": np.zeros((2, 4), np.float32)[:, ::2]},
    ],
    ids=["least", "nan", "infinite", "all", "time-0", "any-rank", "rank-0", "free-0", "most-values", "strided"],
)
def test_inputs_that_fit_pass(inputs: dict[str, Any]) -> None:
    SIGNATURE.check_inputs(inputs, LIMITS)


def test_input_missing_is_named() -> None:
    assert refusal({}) == ("missing", "x", "a tensor of float32", "nothing")


def test_input_unexpected_is_named_with_those_that_are_known() -> None:
    assert refusal({"x": X, "z": X}) == ("unexpected", "z", "one of x, seq, mask, any, free", "an input named z")


@pytest.mark.parametrize("dtype", ["float64", "int32", "float16", "bool", "object", "S3", "U3", ">f4"])
def test_input_of_another_dtype_is_refused(dtype: str) -> None:
    code, field, expected, _ = refusal({"x": np.zeros((1, 2), dtype)})
    assert (code, field, expected) == ("wrong-dtype", "x", "a tensor of float32")


@pytest.mark.parametrize("dtype", [">i8", "uint64", "int32"])
def test_integers_of_another_size_sign_or_byte_order_are_refused(dtype: str) -> None:
    assert refusal({"x": X, "seq": np.zeros((2, 1), dtype)})[0] == "wrong-dtype"


@pytest.mark.parametrize("shape", [(2,), (1, 2, 1), (1, 3), (1, 0), ()])
def test_input_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    assert refusal({"x": np.zeros(shape, np.float32)}) == ("wrong-shape", "x", "shape [batch, 2]", show_shape(shape))


def test_batch_of_none_is_refused() -> None:
    assert refusal({"x": np.zeros((0, 2), np.float32)}) == ("empty", "x", "a batch of at least 1", "0")


def test_batch_over_the_limit_is_refused() -> None:
    assert refusal({"x": np.zeros((5, 2), np.float32)}) == ("too-large", "x", "batch of at most 4", "5")


def test_batch_capped_by_dims_goes_by_the_dims() -> None:
    received = refusal({"x": np.zeros((2, 2), np.float32)}, Limits(max_batch=4, dims={"batch": 1}))
    assert received == ("too-large", "x", "batch of at most 1", "2")


def test_named_dim_over_its_cap_is_refused() -> None:
    received = refusal({"x": X, "seq": np.zeros((2, 4), np.int64)})
    assert received == ("too-large", "seq", "time of at most 3", "4")


def test_values_over_the_limit_are_refused_before_the_shape_is_looked_at() -> None:
    received = refusal({"x": np.zeros((4, 13), np.float32)})
    assert received == ("too-large", "x", "at most 50 values", "52")


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)], ids=["batch", "time"])
def test_named_dims_that_differ_between_inputs_are_refused(shape: tuple[int, int]) -> None:
    inputs = {"x": X, "seq": np.zeros((2, 2), np.int64), "mask": np.zeros(shape, np.bool_)}
    code, field, expected, received = refusal(inputs)
    assert (code, field, received) == ("wrong-shape", "mask", "3")
    assert expected.endswith("of 2, as in other inputs")


def test_signature_with_one_unbatched_tensor_is_not_batched() -> None:
    assert SIGNATURE.batched is False
    assert Signature({"x": SIGNATURE.inputs["x"]}, SIGNATURE.outputs).batched is True


def test_spec_of_no_dims_is_its_own_instance() -> None:
    assert TensorSpec("x", "x:0", "float32", ()).instance_shape == ()
    assert TensorSpec("x", "x:0", "float32", None).instance_shape is None
    assert TensorSpec("x", "x:0", "float32", ("batch", 2)).instance_shape == (2,)
    assert TensorSpec("x", "x:0", "float32", ("time", 2)).instance_shape == ("time", 2)


def test_shape_is_shown_as_an_author_writes_it() -> None:
    assert [show_shape(shape) for shape in (None, (), ("batch", None, 3))] == ["[any rank]", "[]", "[batch, any, 3]"]
