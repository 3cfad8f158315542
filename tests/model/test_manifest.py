"""A wrong manifest is refused in words that name the file, the key and what is allowed."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.model.folders import DOUBLE, changed, parse, reason, without

FILE = "double/1/model.yaml: "


def refusal(tmp_path: Path, content: Any) -> str:
    return reason(lambda: parse(tmp_path, content))


def test_manifest_minimal_takes_the_defaults(tmp_path: Path) -> None:
    manifest = parse(tmp_path, DOUBLE)
    assert (manifest.graph.file, manifest.graph.sha256, manifest.warmup) == ("model.pb", None, None)
    assert (manifest.contract.version, manifest.contract.signature) == (1, "predict")
    assert (manifest.threads.intra_op, manifest.threads.inter_op) == (1, -1)
    limits = manifest.limits_of_calls()
    assert (limits.max_batch, limits.max_elements, limits.max_text_bytes) == (1000, 1_000_000, 100_000)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: [", "not YAML: while parsing a flow node"),
        ("[" * 1000, "not YAML: "),
        ("", "expected keys and values, as `format: 1`, received NoneType"),
        ("- 1", "expected keys and values, as `format: 1`, received list"),
        ("just words", "expected keys and values, as `format: 1`, received str"),
        (yaml.safe_dump(DOUBLE).encode("utf-16"), "can't be read: UnicodeDecodeError"),
        ("format: 1\nwhen: 2024-13-01\n", "not YAML: month must be in 1..12"),
        ("x: !!python/object/apply:os.getcwd []", "not YAML: could not determine a constructor for the tag"),
    ],
    ids=["not-yaml", "nested-too-deeply", "empty", "list", "text", "utf-16", "no-such-date", "python-tag"],
)
def test_manifest_of_no_mapping_is_refused(tmp_path: Path, content: str | bytes, words: str) -> None:
    assert refusal(tmp_path, content).startswith(FILE + words)


def test_manifest_missing_is_refused_without_its_folder(tmp_path: Path) -> None:
    from soapsvc.model.manifest import read_manifest

    assert reason(lambda: read_manifest(tmp_path / "model.yaml", "double/1/model.yaml")) == (
        FILE + "can't be read: FileNotFoundError"
    )


def test_manifest_python_tag_runs_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    refusal(tmp_path, f"x: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{trace}']]")
    assert not trace.exists()


@pytest.mark.parametrize(
    ("path", "value", "where", "allowed"),
    [
        ("colour", "red", "colour", "unknown key; docs/manifest.md lists the keys that are allowed here"),
        ("signatures.predict.inputs.x.type", 1, "signatures.predict.inputs.x.type", "unknown key"),
        ("format", 2, "format", "Input should be 1 (received 2)"),
        ("format", "1", "format", "Input should be 1 (received '1')"),
        ("name", "My_Model", "name", "should match pattern '^[a-z][a-z0-9-]{0,62}$' (received 'My_Model')"),
        ("name", "a" * 64, "name", "should match pattern"),
        ("name", False, "name", "should be a valid string (received False)"),
        ("signatures.predict.inputs.x.dtype", "float", "signatures.predict.inputs.x.dtype", "'float32', 'float64',"),
        ("signatures.predict.inputs.x.shape", ["batch", -1], "signatures.predict.inputs.x.shape.1", "equal to 0"),
        ("signatures.predict.inputs.x.shape", ["batch", 2.5], "signatures.predict.inputs.x.shape.1", "valid integer"),
        ("signatures.predict.inputs.x.shape", ["Batch"], "signatures.predict.inputs.x.shape.0", "^[a-z][a-z0-9_]*$"),
        ("signatures.predict.inputs.x.shape", "batch", "signatures.predict.inputs.x.shape", "valid tuple"),
        ("signatures.predict.inputs.x.tensor", "x", "the tensor of x", "a node's output, as `features:0`"),
        ("signatures.predict.inputs", {}, "signatures.predict.inputs", "at least 1 item"),
        ("signatures.predict.outputs", {}, "signatures.predict.outputs", "at least 1 item"),
        ("signatures", {}, "signatures", "at least 1 item"),
        ("signatures", None, "signatures", "valid dictionary (received None)"),
        ("graph.sha256", "abc", "graph.sha256", "'^[0-9a-f]{64}$' (received 'abc')"),
        ("graph.sha256", "A" * 64, "graph.sha256", "'^[0-9a-f]{64}$'"),
        ("warmup.rtol", -1, "warmup.rtol", "greater than or equal to 0 (received -1)"),
        ("warmup.atol", float("nan"), "warmup.atol", "greater than or equal to 0 (received nan)"),
        ("limits.max_batch", 0, "limits.max_batch", "greater than or equal to 1"),
        ("limits.dims", {"Time": 5}, "limits.dims.Time", "^[a-z][a-z0-9_]*$"),
        ("contract.version", 0, "contract.version", "greater than or equal to 1"),
        ("contract.inputs.x", None, "contract.inputs.x", "valid dictionary"),
        ("contract.inputs.x.as", "picture", "contract.inputs.x.as", "'scalar', 'vector', 'tensor', 'image' or 'text'"),
        ("contract.outputs.y.as", "image", "contract.outputs.y.as", "'scoredLabels', 'scalar', 'vector', 'tensor'"),
        ("contract.inputs.x.element", "Left", "contract.inputs.x.element", "^[a-z][A-Za-z0-9]{0,62}$"),
        ("contract.inputs.x.columns", [], "contract.inputs.x.columns", "at least 1 item"),
        ("contract.outputs.y.top", 0, "contract.outputs.y.top", "greater than or equal to 1"),
        ("threads.intra_op", -1, "threads.intra_op", "greater than or equal to 0"),
        ("requires_ops", "tensorflow_text", "requires_ops", "valid tuple (received 'tensorflow_text')"),
    ],
)
def test_manifest_wrong_key_is_named_with_what_is_allowed(
    tmp_path: Path, path: str, value: Any, where: str, allowed: str
) -> None:
    lines = refusal(tmp_path, changed(DOUBLE, path, value)).splitlines()
    assert all(re.match(rf"{re.escape(FILE + where)}(\.\[key\])?: ", line) for line in lines)
    assert any(allowed in line for line in lines)


@pytest.mark.parametrize("key", ["format", "name", "signatures"])
def test_manifest_without_a_required_key_is_refused(tmp_path: Path, key: str) -> None:
    assert refusal(tmp_path, without(DOUBLE, key)) == f"{FILE}{key}: Field required"


def test_manifest_with_several_faults_names_each_on_a_line(tmp_path: Path) -> None:
    lines = refusal(tmp_path, changed(changed(DOUBLE, "format", 3), "colour", "red")).splitlines()
    assert [line.removeprefix(FILE).split(":")[0] for line in lines] == ["format", "colour"]


def test_manifest_long_value_is_cut_in_the_message(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, changed(DOUBLE, "name", "A" * 10_000))) < 300


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("contract.inputs.x", {"columns": ["a", "b"], "as": "vector"}, "x: give `columns` or `as`, not both"),
        ("contract.inputs.x", {"columns": ["a", "a"]}, "x: `columns` names an element twice"),
        ("contract.inputs.x", {"columns": ["a", "b"], "element": "c"}, "leave `element` out"),
        ("contract.inputs.x", {"preprocess": {}}, "x: `preprocess` goes with `as: image` only"),
        ("contract.outputs.y", {"labels": ["a", "b"]}, "y: `as: scoredLabels` and `labels` go together"),
        ("contract.outputs.y", {"as": "scoredLabels"}, "y: `as: scoredLabels` and `labels` go together"),
        ("contract.outputs.y", {"top": 1}, "y: `top` goes with `as: scoredLabels` only"),
        ("contract.outputs.y", {"as": "vector", "content": True}, "y: `content` goes with `as: tensor` only"),
        ("contract.inputs.z", {}, "contract.inputs.z is not in the signature; it has x"),
        ("contract.outputs.z", {}, "contract.outputs.z is not in the signature; it has y"),
        ("contract.signature", "train", "contract.signature is 'train'; signatures has predict"),
        ("limits.dims", {"tmie": 5}, "limits.dims.tmie is no dimension of a signature; there are batch"),
        ("signatures.predict.constants", {"x:0": 1}, "signatures.predict: x:0 is fed twice"),
        (
            "signatures.predict.inputs.z",
            {"tensor": "x:0", "dtype": "float32"},
            "signatures.predict: x:0 is fed twice; name each tensor once in inputs and constants",
        ),
    ],
)
def test_manifest_keys_that_contradict_are_refused(tmp_path: Path, path: str, value: Any, words: str) -> None:
    message = refusal(tmp_path, changed(DOUBLE, path, value))
    assert message.startswith(FILE)
    assert words in message


@pytest.mark.parametrize("file", ["../x", "/etc/passwd", "a/b", "..", ".hidden", "x\n", "", "C:\\x", "a\0b"])
@pytest.mark.parametrize("key", ["graph.file", "warmup.file", "contract.outputs.y.labels"])
def test_manifest_file_outside_the_folder_is_refused(tmp_path: Path, key: str, file: str) -> None:
    manifest = changed(DOUBLE, "contract.outputs.y.as", "scoredLabels") if key.endswith("labels") else DOUBLE
    message = refusal(tmp_path, changed(manifest, key, file))
    assert message.startswith(FILE + key)
    assert "should match pattern '^[A-Za-z0-9][A-Za-z0-9._-]*$'" in message


@pytest.mark.parametrize("second", ["name: other\n", "'name': double\n"])
def test_manifest_key_twice_is_refused(tmp_path: Path, second: str) -> None:
    assert "the key name stands twice" in refusal(tmp_path, yaml.safe_dump(DOUBLE) + second)


def test_manifest_merged_anchor_may_be_overridden(tmp_path: Path) -> None:
    text = """
format: 1
name: double
signatures:
  predict:
    inputs: {x: &both {tensor: "x:0", dtype: float32, shape: [batch, 2]}}
    outputs: {y: &out {<<: *both, tensor: "y:0"}, z: {<<: *out, tensor: "z:0"}}
"""
    outputs = parse(tmp_path, text).signatures["predict"].outputs
    assert [(entry.tensor, entry.shape) for entry in outputs.values()] == [("y:0", ("batch", 2)), ("z:0", ("batch", 2))]


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_manifest_written_on_windows_is_read(tmp_path: Path, mark: str, end: str) -> None:
    assert parse(tmp_path, mark + yaml.safe_dump(DOUBLE).replace("\n", end)) == parse(tmp_path, DOUBLE)


def test_manifest_labels_that_yaml_reads_as_booleans_are_refused(tmp_path: Path) -> None:
    content = changed(DOUBLE, "contract.outputs.y", {"as": "scoredLabels", "labels": [True, False]})
    assert f"{FILE}contract.outputs.y.labels.0: Input should be a valid string (received True)" in refusal(
        tmp_path, content
    )


def test_manifest_dims_named_on_one_side_may_be_capped(tmp_path: Path) -> None:
    content = changed(DOUBLE, "signatures.predict.inputs.y", {"tensor": "z:0", "dtype": "int32", "shape": ["time"]})
    content = changed(content, "limits.dims", {"time": 5, "batch": 3})
    limits = parse(tmp_path, content).limits_of_calls()
    assert (limits.of_dim("time"), limits.of_dim("batch"), limits.of_dim("other")) == (5, 3, None)
