"""Model folders are written whole or not at all; freezing keeps the answers and gives the names asked for."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import yaml

from soapsvc.authoring.folder import write_folder
from soapsvc.authoring.freeze import FreezeError, freeze, op_types, run_frozen

MANIFEST = {"format": 1, "name": "double", "description": "Größe 2x", "limits": {"max_batch": 10}}
WARMUP = [{"inputs": {"x": np.array([[0.1]], np.float32)}, "outputs": {"y": [[0.2]]}}]


@pytest.fixture(scope="module")
def graph_def() -> Any:
    """A graph y = 2x over float32 (batch, 1)."""
    double = tf.function(lambda x: 2 * x, [tf.TensorSpec([None, 1], tf.float32)])
    return freeze(double, ["x"], ["y"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a version of a model would go; nothing of it exists."""
    return tmp_path / "models" / "double" / "1"


def everything_below(path: Path) -> dict[str, bytes]:
    """Every file and folder below path, hidden ones too: relative name -> content, empty for a folder."""
    return {str(found.relative_to(path)): found.read_bytes() if found.is_file() else b"" for found in path.rglob("*")}


def test_write_folder_writes_all_files(graph_def: Any, folder: Path) -> None:
    write_folder(folder, graph_def=graph_def, manifest=MANIFEST, labels=["ä", "b"], warmup=WARMUP)

    assert sorted(everything_below(folder.parent)) == [
        "1",
        "1/labels.txt",
        "1/model.pb",
        "1/model.yaml",
        "1/warmup.jsonl",
    ]
    assert (folder / "labels.txt").read_text(encoding="utf-8") == "ä\nb\n"
    assert tf.compat.v1.GraphDef.FromString((folder / "model.pb").read_bytes()) == graph_def


def test_write_folder_without_labels_and_warmup_writes_no_such_files(graph_def: Any, folder: Path) -> None:
    write_folder(folder, graph_def=graph_def, manifest=MANIFEST)

    assert sorted(path.name for path in folder.iterdir()) == ["model.pb", "model.yaml"]


def test_write_folder_manifest_keeps_content_and_has_checksum(graph_def: Any, folder: Path) -> None:
    write_folder(folder, graph_def=graph_def, manifest=MANIFEST | {"graph": {"sha256": "old"}})

    manifest = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    checksum = hashlib.sha256((folder / "model.pb").read_bytes()).hexdigest()
    assert manifest == MANIFEST | {"graph": {"file": "model.pb", "sha256": checksum}}
    assert list(manifest) == ["format", "name", "description", "graph", "limits"]


def test_write_folder_warmup_has_tensorflow_servings_json(graph_def: Any, folder: Path) -> None:
    inputs = {
        "image": [b"\x89PNG"],
        "text": ["größe"],
        "count": np.array([3], np.int64),
        "x": np.array([[0.1]], np.float32),
    }
    write_folder(
        folder,
        graph_def=graph_def,
        manifest=MANIFEST,
        warmup=[{"inputs": inputs, "outputs": {}}, {"inputs": {}, "outputs": {"flag": np.array([True])}}],
    )

    first, second = (folder / "warmup.jsonl").read_text(encoding="utf-8").splitlines()
    image = {"b64": base64.b64encode(b"\x89PNG").decode()}
    assert json.loads(first) == {
        "inputs": {"image": [image], "text": ["größe"], "count": [3], "x": [[0.1]]},
        "outputs": {},
    }
    assert json.loads(second) == {"inputs": {}, "outputs": {"flag": [True]}}


def test_write_folder_existing_folder_is_refused_and_kept(graph_def: Any, folder: Path, tmp_path: Path) -> None:
    write_folder(folder, graph_def=graph_def, manifest=MANIFEST)
    before = everything_below(tmp_path)

    with pytest.raises(FileExistsError, match="--force"):
        write_folder(folder, graph_def=graph_def, manifest=MANIFEST, labels=["new"])
    assert everything_below(tmp_path) == before


def test_write_folder_force_replaces_every_file(graph_def: Any, folder: Path) -> None:
    write_folder(folder, graph_def=graph_def, manifest=MANIFEST, labels=["old"], warmup=WARMUP)

    write_folder(folder, graph_def=graph_def, manifest=MANIFEST | {"description": "new"}, force=True)

    assert sorted(everything_below(folder.parent)) == ["1", "1/model.pb", "1/model.yaml"]
    assert "description: new" in (folder / "model.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("value", [np.array([np.nan]), [float("inf")], object()])
def test_write_folder_unwritable_value_leaves_nothing_behind(
    value: object, graph_def: Any, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises((TypeError, ValueError)):
        write_folder(folder, graph_def=graph_def, manifest=MANIFEST, warmup=[{"inputs": {"x": value}, "outputs": {}}])
    assert everything_below(tmp_path) == {}


def test_write_folder_failing_disk_leaves_nothing_behind(
    graph_def: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_writing_of("labels.txt", monkeypatch)

    with pytest.raises(OSError, match="disk full"):
        write_folder(folder, graph_def=graph_def, manifest=MANIFEST, labels=["a"])
    assert everything_below(tmp_path) == {}


def test_write_folder_failing_disk_keeps_what_force_would_replace(
    graph_def: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(folder, graph_def=graph_def, manifest=MANIFEST)
    before = everything_below(tmp_path)
    break_writing_of("labels.txt", monkeypatch)

    with pytest.raises(OSError, match="disk full"):
        write_folder(folder, graph_def=graph_def, manifest=MANIFEST, labels=["a"], force=True)
    assert everything_below(tmp_path) == before


def test_write_folder_failing_last_move_puts_the_old_folder_back(
    graph_def: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(folder, graph_def=graph_def, manifest=MANIFEST)
    before = everything_below(tmp_path)
    rename = Path.rename

    def failing(path: Path, target: Path) -> Path:
        if path.suffix == ".new":
            raise OSError("no rename")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="no rename"):
        write_folder(folder, graph_def=graph_def, manifest=MANIFEST | {"description": "new"}, force=True)
    assert everything_below(tmp_path) == before


def break_writing_of(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a file of this name gets half of its content, then the disk is full."""
    write_bytes = Path.write_bytes

    def failing(path: Path, content: bytes) -> int:
        if path.name == name:
            write_bytes(path, content[: len(content) // 2])
            raise OSError("disk full")
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", failing)


def test_freeze_renames_outputs_and_keeps_answers() -> None:
    weight = tf.Variable([[1.5], [-2.0]])

    def original(given: tf.Tensor, offset: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"raw": given @ weight + offset, "halved": (given @ weight + offset) / 2}

    specification = [tf.TensorSpec([None, 2], tf.float32, "given"), tf.TensorSpec([], tf.float32)]
    graph_def = freeze(tf.function(original, specification), ["x", "shift"], ["half", "full"])  # sorted by key
    x = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    answers = run_frozen(graph_def, {"x": x, "shift": 0.5}, ["full", "half"])

    expected = original(x, 0.5)
    np.testing.assert_allclose(answers["full"], expected["raw"], rtol=1e-6)
    np.testing.assert_allclose(answers["half"], expected["halved"], rtol=1e-6)
    assert {node.name for node in graph_def.node if node.op == "Placeholder"} == {"x", "shift"}
    assert not [op for op in op_types(graph_def) if "Variable" in op]


def test_freeze_input_that_is_also_output_answers_itself() -> None:
    same = tf.function(lambda x: x, [tf.TensorSpec([None], tf.string, "x")])

    answers = run_frozen(freeze(same, ["x"], ["y"]), {"x": ["a", "b"]}, ["y"])

    assert answers["y"].tolist() == [b"a", b"b"]


def test_freeze_keeps_loops_as_functions() -> None:
    lengths = tf.function(
        lambda text: tf.map_fn(tf.strings.length, text, fn_output_signature=tf.int32),
        [tf.TensorSpec([None], tf.string)],
    )

    graph_def = freeze(lengths, ["text"], ["length"])

    assert run_frozen(graph_def, {"text": ["a", "bcd"]}, ["length"])["length"].tolist() == [1, 3]
    assert {"StatelessWhile", "StringLength"} <= op_types(graph_def)
    assert "Enter" not in op_types(graph_def)


def test_freeze_leaves_out_what_no_output_needs() -> None:
    def original(x: tf.Tensor) -> tf.Tensor:
        tf.cos(x)
        return tf.sqrt(x)

    graph_def = freeze(tf.function(original, [tf.TensorSpec([], tf.float32)]), ["x"], ["root"])

    assert op_types(graph_def) == {"Placeholder", "Sqrt", "Identity"}


def test_freeze_captured_table_is_refused() -> None:
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a"], [1]), 0)
    looked_up = tf.function(table.lookup, [tf.TensorSpec([None], tf.string)])

    with pytest.raises(FreezeError, match="resources"):
        freeze(looked_up, ["text"], ["code"])


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [(["x", "y"], ["z"]), (["x"], ["y", "z"]), ([], ["z"]), (["x"], ["x"]), (["model"], ["y"])],
)
def test_freeze_wrong_names_are_refused(inputs: list[str], outputs: list[str]) -> None:
    double = tf.function(lambda x: 2 * x, [tf.TensorSpec([None], tf.float32)])

    with pytest.raises(FreezeError):
        freeze(double, inputs, outputs)
