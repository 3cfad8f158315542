"""A contract says what clients see; a manifest whose parts don't go together makes none."""

from pathlib import Path
from typing import Any

import pytest

from soapsvc.model.contract import Contract, contract_of
from soapsvc.model.manifest import Manifest
from soapsvc.model.signature import Signature
from tests.kinds import MANIFEST
from tests.model.folders import parse, reason

SPEC: dict[str, Any] = {"tensor": "x:0", "dtype": "float32", "shape": ["batch", 2]}


def read_labels(file: str) -> tuple[str, ...]:
    return {"two.txt": ("a", "b")}[file]


def build(manifest: Manifest) -> Contract:
    entry = manifest.signatures[manifest.contract.signature]
    inputs = {name: tensor.spec(name) for name, tensor in entry.inputs.items()}
    signature = Signature(inputs, {name: tensor.spec(name) for name, tensor in entry.outputs.items()})
    return contract_of(manifest, signature, read_labels)


@pytest.fixture
def contract(tmp_path: Path) -> Any:
    """Return a function that makes the contract of one input and one output."""

    def make(
        x: dict[str, Any] | None = None,
        y: dict[str, Any] | None = None,
        *,
        name: str = "x",
        out: str = "y",
        **keys: Any,
    ) -> Contract:
        inputs = {name: SPEC | (x or {})} | keys.pop("more_inputs", {})
        outputs = {out: SPEC | {"tensor": "y:0"} | (y or {})} | keys.pop("more_outputs", {})
        signatures = {"predict": {"inputs": inputs, "outputs": outputs}}
        entry = {"inputs": keys.get("inputs", {}), "outputs": keys.get("outputs", {})}
        content = {"format": 1, "name": "m", "signatures": signatures, "contract": entry}
        return build(parse(tmp_path, content))

    return make


def test_contract_of_kinds_has_each_kind(tmp_path: Path) -> None:
    made = build(parse(tmp_path, MANIFEST))
    assert (made.model, made.version) == ("kinds", 1)
    assert [(item.element, item.kind, item.column) for item in made.inputs] == [
        ("flag", "scalar", None), ("count", "scalar", None), ("total", "scalar", None), ("level", "scalar", None),
        ("ratio", "scalar", None), ("offset", "scalar", None), ("note", "text", None), ("left", "scalar", 0),
        ("right", "scalar", 1), ("series", "vector", None), ("codes", "vector", None), ("words", "vector", None),
        ("grid", "tensor", None), ("picture", "image", None),
    ]  # fmt: skip
    assert [item.element for item in made.inputs if item.optional] == ["offset"]
    scores = next(item for item in made.outputs if item.element == "scores")
    assert (scores.kind, scores.labels, scores.top) == ("scoredLabels", ("left", "right"), None)
    assert [item.element for item in made.outputs if item.content] == ["pixels"]


@pytest.mark.parametrize(
    ("dtype", "shape", "kind"),
    [
        ("float32", ["batch"], "scalar"),
        ("bool", ["batch"], "scalar"),
        ("string", ["batch"], "text"),
        ("string", ["batch", None], "vector"),
        ("int64", ["batch", "time"], "vector"),
        ("uint8", ["batch", 2, 2], "tensor"),
        ("float32", ["batch", None, None, None], "tensor"),
    ],
)
def test_kind_left_out_follows_dtype_and_shape(contract: Any, dtype: str, shape: list[Any], kind: str) -> None:
    spec = {"dtype": dtype, "shape": shape}
    made = contract(spec, spec)
    assert (made.inputs[0].kind, made.outputs[0].kind) == (kind, kind)
    assert made.inputs[0].shape == made.outputs[0].shape == tuple(shape[1:])


def test_kind_of_unknown_rank_is_a_tensor(contract: Any) -> None:
    made = contract({"shape": None}, {"shape": None})
    assert (made.inputs[0].kind, made.inputs[0].shape, made.outputs[0].kind) == ("tensor", None, "tensor")


@pytest.mark.parametrize(
    ("name", "element"),
    [
        ("input_1", "input1"),
        ("sepal_length (cm)", "sepalLengthCm"),
        ("Features", "features"),
        ("serving/x", "servingX"),
        ("_x_", "x"),
        ("petalLength", "petalLength"),
    ],
)
def test_element_left_out_is_the_name_in_camel_case(contract: Any, name: str, element: str) -> None:
    assert contract(name=name).inputs[0].element == element


@pytest.mark.parametrize("name", ["1", "_", "ß", "  ", "2d_input"])
def test_element_that_no_name_can_be_made_of_is_refused(contract: Any, name: str) -> None:
    message = reason(lambda: contract(name=name))
    assert message == (
        f"contract.inputs.{name}: {name!r} makes no element name; give one with `element`, as `element: features`"
    )


def test_element_given_replaces_the_name(contract: Any) -> None:
    made = contract(name="1", inputs={"1": {"element": "first", "description": "the first"}})
    assert (made.inputs[0].element, made.inputs[0].tensor, made.inputs[0].description) == ("first", "1", "the first")


@pytest.mark.parametrize("shape", [["batch", 2], ["batch", None], [2]])
def test_columns_name_the_values_of_a_vector(contract: Any, shape: list[Any]) -> None:
    made = contract({"shape": shape}, {"shape": shape}, inputs={"x": {"columns": ["a", "b"], "finite": True}})
    assert [(item.element, item.column, item.kind, item.finite) for item in made.inputs] == [
        ("a", 0, "scalar", True),
        ("b", 1, "scalar", True),
    ]


@pytest.mark.parametrize(
    ("spec", "entry", "words"),
    [
        ({}, {"columns": ["a"]}, "x.columns: names 1 values, but one instance has shape [2]"),
        ({"shape": ["batch"]}, {"columns": ["a"]}, "x.columns: names 1 values, but one instance has shape []"),
        ({"shape": ["batch", "n"]}, {"columns": ["a"]}, "one instance has shape [n]"),
        ({"shape": ["batch", 2, 2]}, {"columns": ["a", "b"]}, "one instance has shape [2, 2]"),
        ({"optional": True}, {"columns": ["a", "b"]}, "has shape [2] and is optional"),
        ({}, {"as": "scalar"}, "x.as: scalar needs an instance of rank 0, x has shape [2] without its batch"),
        ({"shape": ["batch"]}, {"as": "vector"}, "x.as: vector needs an instance of rank 1, x has shape []"),
        ({"shape": ["batch"]}, {"as": "text"}, "x.as: text needs dtype string, x is float32"),
        ({"dtype": "string"}, {"as": "text"}, "x.as: text needs an instance of rank 0, x has shape [2]"),
        ({"dtype": "string"}, {"as": "image"}, "x is string [2] without its batch dimension"),
        (
            {"dtype": "string", "shape": ["batch"]},
            {"as": "image", "preprocess": {}},
            "x.preprocess: the graph takes the encoded image itself; leave preprocess out",
        ),
        ({"dtype": "int64"}, {"finite": True}, "x.finite: only floats can be NaN or infinite, x is int64"),
        ({"dtype": "string"}, {"finite": True}, "x.finite: only floats can be NaN or infinite, x is string"),
    ],
)
def test_input_that_does_not_fit_its_entry_is_refused(
    contract: Any, spec: dict[str, Any], entry: dict[str, Any], words: str
) -> None:
    message = reason(lambda: contract(spec, inputs={"x": entry}))
    assert message.startswith("contract.inputs.x.")
    assert words in message


@pytest.mark.parametrize(
    "shape", [[2, 2], [2, 2, 4], [2, None, 3], ["h", "w", 3], [0, 2, 3], [2, 2, 3, 1], [2, 2, None]]
)
def test_image_of_an_odd_shape_is_refused(contract: Any, shape: list[Any]) -> None:
    message = reason(lambda: contract({"shape": ["batch", *shape]}, inputs={"x": {"as": "image"}}))
    assert "x.as: image needs one string, or numbers of shape [height, width, 1 or 3] with sizes" in message


def test_image_of_bools_is_refused(contract: Any) -> None:
    spec = {"dtype": "bool", "shape": ["batch", 2, 2, 1]}
    assert "x is bool [2, 2, 1]" in reason(lambda: contract(spec, inputs={"x": {"as": "image"}}))


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_image_of_numbers_is_preprocessed_unasked(contract: Any, dtype: str) -> None:
    made = contract({"dtype": dtype, "shape": ["batch", 2, 2, 1]}, inputs={"x": {"as": "image"}})
    assert made.inputs[0].preprocess.range == (0.0, 255.0)


def test_image_of_encoded_bytes_is_not_preprocessed(contract: Any) -> None:
    made = contract({"dtype": "string", "shape": ["batch"]}, inputs={"x": {"as": "image"}})
    assert (made.inputs[0].kind, made.inputs[0].preprocess) == ("image", None)


@pytest.mark.parametrize(
    ("spec", "entry", "words"),
    [
        ({"dtype": "int64"}, {"as": "scoredLabels", "labels": ["a", "b"]}, "as: scoredLabels needs float scores"),
        ({}, {"as": "scoredLabels", "labels": ["a"]}, "labels: 1 names, but one instance has [2]"),
        ({}, {"as": "scoredLabels", "labels": []}, "labels: 0 names, but one instance has [2]"),
        (
            {"shape": ["batch", None]},
            {"as": "scoredLabels", "labels": "two.txt"},
            "labels: 2 names, but one instance has [any]",
        ),
        ({"shape": ["batch", 3]}, {"as": "scoredLabels", "labels": "two.txt"}, "labels: 2 names, but one instance"),
        ({"shape": ["batch", 2, 2]}, {"as": "scoredLabels", "labels": ["a", "b"]}, "as: scoredLabels needs an"),
        ({"shape": None}, {"as": "vector"}, "as: vector needs an instance of rank 1, y has shape [any rank]"),
        ({}, {"as": "scalar"}, "as: scalar needs an instance of rank 0"),
        ({"shape": ["batch"]}, {"as": "text"}, "as: text needs dtype string, y is float32"),
        ({"dtype": "string"}, {"as": "tensor", "content": True}, "content: strings can't travel as bytes"),
    ],
)  # fmt: skip
def test_output_that_does_not_fit_its_entry_is_refused(
    contract: Any, spec: dict[str, Any], entry: dict[str, Any], words: str
) -> None:
    shape = {"shape": None} if spec.get("shape", "") is None else {}
    assert f"contract.outputs.y.{words}" in reason(lambda: contract(shape, spec, outputs={"y": entry}))


def test_labels_in_a_file_are_read(contract: Any) -> None:
    made = contract(outputs={"y": {"as": "scoredLabels", "labels": "two.txt", "top": 1}})
    assert (made.outputs[0].labels, made.outputs[0].top) == (("a", "b"), 1)


def test_two_inputs_of_one_element_are_refused(contract: Any) -> None:
    more = {"X": SPEC | {"tensor": "z:0"}}
    assert reason(lambda: contract(more_inputs=more)) == (
        "contract.inputs: two elements are named x; give one of them another `element`"
    )


def test_column_named_as_another_input_is_refused(contract: Any) -> None:
    more = {"z": SPEC | {"tensor": "z:0"}}
    message = reason(lambda: contract(more_inputs=more, inputs={"x": {"columns": ["z", "b"]}}))
    assert "two elements are named z" in message


@pytest.mark.parametrize("out", ["modelVersion", "model_version"])
def test_output_named_as_the_model_version_is_refused(contract: Any, out: str) -> None:
    assert "contract.outputs: two elements are named modelVersion" in reason(lambda: contract(out=out))


def test_input_may_be_named_as_an_output(contract: Any) -> None:
    assert contract(out="x").outputs[0].element == "x"


@pytest.mark.parametrize("shape", [None, [2], ["time", "batch"]])
def test_contract_with_one_unbatched_output_is_refused(contract: Any, shape: Any) -> None:
    message = reason(lambda: contract(y={"shape": shape}))
    assert message.startswith("signatures.predict.y.shape: ")
    assert message.endswith(
        "but x begins with batch; every input and output of the contract must begin with batch, or none"
    )
