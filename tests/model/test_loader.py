"""A version folder becomes a servable only when all that it says is so."""

import hashlib
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from soapsvc.errors import ModelNotFound
from soapsvc.model.graph import FrozenGraph
from soapsvc.model.loader import load
from soapsvc.model.servable import Batching, Servable
from soapsvc.model.source import find_versions
from tests.kinds import GOLDEN as KINDS_GOLDEN
from tests.model.folders import DOUBLE, GOLDEN, changed, graph_bytes, jsonl, reason, write_version

WARM = changed(DOUBLE, "warmup", {})


def refusal(models: Path, manifest: Any, graph: bytes, **files: Any) -> str:
    return reason(lambda: load(write_version(models, manifest, graph, **files)))


def run(servable: Servable, x: Any) -> Any:
    return servable.run(servable.find_signature(None), {"x": np.float32(x)})["y"].tolist()


@pytest.fixture(scope="module")
def scaled() -> bytes:
    """Return the graph y = x * factor + shift, where shift has a default and factor has none."""

    def build(v1: Any) -> None:
        x = v1.placeholder("float32", [None, 2], name="x")
        factor = v1.placeholder("float32", [], name="factor")
        shift = v1.placeholder_with_default(v1.constant(0.0), [], name="shift")
        v1.add(x * factor, shift, name="y")

    return graph_bytes(build)


# A good folder


def test_folder_that_is_right_becomes_a_servable(models: Path, double: bytes) -> None:
    servable = load(write_version(models, WARM, double, version=7, warmup=jsonl(GOLDEN)))
    assert (servable.name, servable.version, servable.signature) == ("double", 7, "predict")
    assert run(servable, [[1, 2], [3, 4]]) == [[2, 4], [6, 8]]
    assert servable.sample is not None
    assert servable.sample[0].tolist() == [1, 2]
    assert servable.find_signature("predict") is servable.find_signature(None)
    servable.graph.close()


def test_signature_unknown_is_named_with_those_that_are_known(kinds: Servable) -> None:
    with pytest.raises(ModelNotFound, match="kinds has no signature train; it has predict"):
        kinds.find_signature("train")


def test_folder_of_every_kind_is_proven(kinds: Servable) -> None:
    assert kinds.sample is not None
    assert len(kinds.sample) == len(kinds.contract.inputs) == len(KINDS_GOLDEN) + 1


def test_folder_without_warmup_is_served_unproven(
    models: Path, double: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    servable = load(write_version(models, DOUBLE, double))
    assert (servable.sample, run(servable, [[1, 2]])) == (None, [[2, 4]])
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert caplog.messages == ["double/1/model.yaml: no warmup: its answers are unproven and the first call is slow"]
    servable.graph.close()


def test_graph_of_the_sha256_given_is_loaded(models: Path, double: bytes) -> None:
    manifest = changed(DOUBLE, "graph.sha256", hashlib.sha256(double).hexdigest())
    load(write_version(models, manifest, double)).graph.close()


@pytest.mark.parametrize("labels", ["a\nb", "a\nb\n", "a\r\nb\r\n", "\ufeffa\nb\n"])
def test_labels_file_is_read_however_it_was_written(models: Path, double: bytes, labels: str) -> None:
    manifest = changed(DOUBLE, "contract.outputs.y", {"as": "scoredLabels", "labels": "labels.txt"})
    servable = load(write_version(models, manifest, double, labels=labels))
    assert servable.contract.outputs[0].labels == ("a", "b")
    servable.graph.close()


def test_constants_and_defaults_are_fed_unseen(models: Path, scaled: bytes) -> None:
    manifest = changed(WARM, "signatures.predict.constants", {"factor:0": 3})
    manifest = changed(
        manifest,
        "signatures.predict.inputs.shift",
        {"tensor": "shift:0", "dtype": "float32", "shape": [], "optional": True},
    )
    message = refusal(models, manifest, scaled, warmup=jsonl({"inputs": {"x": [[1, 2]]}, "outputs": {"y": [[3, 6]]}}))
    assert "signatures.predict.shift.shape: [], but x begins with batch" in message
    manifest = changed(WARM, "signatures.predict.constants", {"factor:0": 3})
    golden = jsonl({"inputs": {"x": [[1, 2]]}, "outputs": {"y": [[3, 6]]}})
    load(write_version(models, manifest, scaled, version=2, warmup=golden)).graph.close()


def test_unbatched_string_model_of_rank_0_is_loaded(models: Path) -> None:
    graph = graph_bytes(lambda v1: v1.identity(v1.placeholder("string", [], name="x"), name="y"))
    spec = {"dtype": "string", "shape": []}
    manifest = changed(WARM, "signatures.predict.inputs.x", spec | {"tensor": "x:0"})
    manifest = changed(manifest, "signatures.predict.outputs.y", spec | {"tensor": "y:0"})
    servable = load(write_version(models, manifest, graph, warmup=jsonl({"inputs": {"x": "ü"}, "outputs": {"y": "ü"}})))
    assert servable.sample == ["ü"]
    [(_, feeds)] = servable.binding.pack([["ö"]])
    assert servable.binding.unpack(servable.run(servable.find_signature(None), feeds), 1) == [("ö",)]
    servable.graph.close()


# What the manifest says of the graph


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("inputs.x.dtype", "float64", "signatures.predict.inputs.x.dtype: float64, but x:0 is float32 in the graph"),
        ("outputs.y.dtype", "int32", "signatures.predict.outputs.y.dtype: int32, but y:0 is float32 in the graph"),
        ("inputs.x.shape", ["batch", 3], "signatures.predict.inputs.x.shape: [batch, 3], but x:0 is [any, 2]"),
        ("outputs.y.shape", ["batch"], "signatures.predict.outputs.y.shape: [batch], but y:0 is [any, 2]"),
        ("inputs.x.optional", True, "signatures.predict.inputs.x.optional: x:0 has no default in the graph"),
        ("inputs.x.tensor", "z:0", "the graph has no tensor z:0; its placeholders are x:0"),
        ("constants", {"z:0": 1}, "the graph has no tensor z:0; its placeholders are x:0"),
        ("constants", {"y/y:0": "fast"}, "constants.y/y:0: 'fast' is no float32"),
    ],
)
def test_manifest_that_disagrees_with_the_graph_is_refused(
    models: Path, double: bytes, path: str, value: Any, words: str
) -> None:
    message = refusal(models, changed(DOUBLE, f"signatures.predict.{path}", value), double)
    assert message == f"double/1/model.yaml: {words}"


@pytest.mark.parametrize("shape", [["batch", "n"], ["batch", None], [1, 2], ["batch", 2]])
def test_manifest_may_say_more_or_less_than_the_graph(models: Path, double: bytes, shape: list[Any]) -> None:
    manifest = changed(DOUBLE, "signatures.predict.inputs.x.shape", shape)
    manifest = changed(manifest, "signatures.predict.outputs.y.shape", shape)
    load(write_version(models, manifest, double)).graph.close()


def test_signature_beside_the_contract_is_checked_too(models: Path, double: bytes) -> None:
    other = {
        "inputs": {"x": {"tensor": "x:0", "dtype": "bool"}},
        "outputs": {"y": {"tensor": "y:0", "dtype": "float32"}},
    }
    message = refusal(models, changed(DOUBLE, "signatures.other", other), double)
    assert "signatures.other.inputs.x.dtype: bool, but x:0 is float32" in message


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (b"", "double/1/model.yaml: the graph has no tensor x:0; its placeholders are none"),
        (b"junk", "double/1/model.pb: not a frozen GraphDef, or cut short (4 bytes)"),
    ],
)
def test_graph_that_is_none_is_refused(models: Path, graph: bytes, words: str) -> None:
    assert refusal(models, DOUBLE, graph) == words


def test_graph_file_missing_is_refused(models: Path, double: bytes) -> None:
    message = refusal(models, changed(DOUBLE, "graph.file", "other.pb"), double)
    assert message == "double/1/other.pb: can't be read: No such file or directory"


def test_init_op_missing_is_refused_with_its_file(models: Path, double: bytes) -> None:
    message = refusal(models, changed(DOUBLE, "init_ops", ["fill"]), double)
    assert message == "double/1/model.pb: init_ops: the graph has no operation fill"


# Libraries, labels, names


def test_library_not_allowed_is_refused_and_not_imported(models: Path, double: bytes) -> None:
    folder = write_version(models, changed(DOUBLE, "requires_ops", ["antigravity"]), double)
    assert reason(lambda: load(folder, ("tensorflow_text", "other"))) == (
        "double/1/model.yaml: requires_ops: antigravity is not allowed here; "
        "the setting op_libraries allows tensorflow_text, other"
    )
    assert reason(lambda: load(folder)).endswith("the setting op_libraries allows none")


def test_library_not_installed_is_refused(models: Path, double: bytes) -> None:
    folder = write_version(models, changed(DOUBLE, "requires_ops", ["no_such_module"]), double)
    message = reason(lambda: load(folder, ("no_such_module",)))
    assert message == "requires_ops: the Python module no_such_module is not installed"


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("a\nb\nc\n", "contract.outputs.y.labels: 3 names, but one instance has [2]"),
        ("", "contract.outputs.y.labels: 0 names, but one instance has [2]"),
        ("a\n\n", "labels: labels.txt:2 is blank; expected one class name a line"),
        ("a\n  \nb\n", "labels: labels.txt:2 is blank; expected one class name a line"),
        (None, "labels: labels.txt can't be read: FileNotFoundError"),
    ],
)
def test_labels_file_that_does_not_fit_is_refused(models: Path, double: bytes, labels: str | None, words: str) -> None:
    manifest = changed(DOUBLE, "contract.outputs.y", {"as": "scoredLabels", "labels": "labels.txt"})
    files = {} if labels is None else {"labels": labels}
    assert refusal(models, manifest, double, **files) == f"double/1/model.yaml: {words}"


def test_name_of_another_folder_is_refused(models: Path, double: bytes) -> None:
    assert refusal(models, DOUBLE, double, folder="twice") == (
        "twice/1/model.yaml: name: double stands in the folder of twice; a model's name is its folder's name: "
        "rename the folder or write name: twice"
    )


def test_name_that_two_folders_claim_is_refused_in_the_wrong_one_only(models: Path, double: bytes) -> None:
    right = write_version(models, DOUBLE, double)
    assert "two folders claim the name double" in refusal(models, DOUBLE, double, folder="twice")
    load(right).graph.close()


# Golden calls


def golden(**values: Any) -> str:
    return jsonl({"inputs": {"x": [[1, 2]]}, "outputs": {}} | values)


@pytest.mark.parametrize(
    ("warmup", "words"),
    [
        (golden(outputs={"y": [[2, 4.1]]}), "output y is not the golden one: the largest difference is 0.1, allowed"),
        (golden(outputs={"y": [[2, float("nan")]]}), "output y is not the golden one: the largest difference is nan"),
        (golden(outputs={"y": [2, 4]}), "output y is not the golden one: expected shape [2], answered [1, 2]"),
        (golden(inputs={}), "the golden input is refused: x: expected a tensor of float32, received nothing"),
        (golden(inputs={"x": [[1]]}), "the golden input is refused: x: expected shape [batch, 2], received [1, 1]"),
        (golden(inputs={"x": []}), "the golden input is refused: x: expected shape [batch, 2], received [0]"),
        (golden(inputs={"z": 1}), "z is not in the signature; it has x"),
    ],
)
def test_golden_call_that_does_not_hold_is_refused_with_its_line(
    models: Path, double: bytes, warmup: str, words: str
) -> None:
    message = refusal(models, WARM, double, warmup=jsonl(GOLDEN) + warmup)
    assert message.startswith(f"double/1/warmup.jsonl:2: {words}")


def test_golden_output_within_the_tolerance_is_fine(models: Path, double: bytes) -> None:
    manifest = changed(DOUBLE, "warmup", {"rtol": 0, "atol": 0.2})
    load(write_version(models, manifest, double, warmup=golden(outputs={"y": [[2, 4.1]]}))).graph.close()


def test_golden_file_missing_is_refused(models: Path, double: bytes) -> None:
    assert refusal(models, WARM, double) == "double/1/warmup.jsonl: can't be read: FileNotFoundError"


def test_placeholder_that_nobody_feeds_is_named_to_the_author(models: Path, scaled: bytes) -> None:
    message = refusal(models, WARM, scaled, warmup=jsonl(GOLDEN))
    assert message.startswith("double/1/model.yaml: signatures.predict: its outputs need factor:0, which nobody feeds;")


def test_output_of_another_shape_at_warmup_is_refused(models: Path) -> None:
    graph = graph_bytes(lambda v1: v1.tile(v1.placeholder("float32", [None, None], name="x"), [2, 1], name="y"))
    message = refusal(models, WARM, graph, warmup=golden())
    assert message == "double/1/warmup.jsonl:1: y has shape [2, 2], not [batch, 2]"


def test_graph_that_fails_at_warmup_is_refused(models: Path, double: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise MemoryError("secret")

    monkeypatch.setattr(FrozenGraph, "run", fail)
    message = refusal(models, WARM, double, warmup=golden())
    assert message == "double/1/warmup.jsonl:1: the graph fails on the golden input: MemoryError; the log has more"


# The session


@pytest.mark.parametrize(
    ("change", "warmup"),
    [
        ({"signatures.predict.inputs.x.dtype": "int32"}, ""),
        ({"warmup": {}}, golden(outputs={"y": [[9, 9]]})),
        ({"init_ops": ["nope"]}, ""),
    ],
    ids=["check", "golden", "init"],
)
def test_session_is_closed_when_loading_fails(
    models: Path, double: bytes, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], warmup: str
) -> None:
    closed: list[FrozenGraph] = []
    close = FrozenGraph.close
    monkeypatch.setattr(FrozenGraph, "close", lambda self: (closed.append(self), close(self))[0])
    path, value = next(iter(change.items()))
    refusal(models, changed(DOUBLE, path, value), double, warmup=warmup)
    assert len(closed) == 1


# What the words of a refusal leave out


def test_refusals_do_not_tell_where_the_models_stand(models: Path, double: bytes) -> None:
    good = write_version(models, WARM, double, warmup=jsonl(GOLDEN))
    for file in ("model.yaml", "model.pb", "warmup.jsonl"):
        broken = models / "double" / "2"
        shutil.copytree(good.path, broken)
        (broken / file).unlink()
        (broken / file).mkdir()
        folder = next((one for one in find_versions(models) if one.version == 2), good)
        if folder is not good:
            assert str(models) not in reason(lambda folder=folder: load(folder))
        shutil.rmtree(broken)
    (good.path / "model.yaml").write_text(yaml.safe_dump(changed(WARM, "colour", 1)))
    assert str(models) not in reason(lambda: load(good))


# Links


@pytest.mark.parametrize("file", ["model.pb", "model.yaml", "warmup.jsonl"])
def test_link_out_of_the_folder_is_refused(models: Path, double: bytes, tmp_path: Path, file: str) -> None:
    folder = write_version(models, WARM, double, warmup=jsonl(GOLDEN))
    (folder.path / file).rename(tmp_path / file)
    (folder.path / file).symlink_to(tmp_path / file)
    assert f"double/1/{file}: a link out of the version's folder" in reason(lambda: load(folder))


def test_link_of_a_whole_version_is_fine(models: Path, double: bytes, tmp_path: Path) -> None:
    folder = write_version(models, WARM, double, warmup=jsonl(GOLDEN))
    folder.path.rename(tmp_path / "kept")
    folder.path.symlink_to(tmp_path / "kept")
    load(folder).graph.close()


# Batching


def test_batching_of_a_model_is_what_its_manifest_says(models: Path, double: bytes) -> None:
    servable = load(write_version(models, changed(DOUBLE, "batching", {"max_size": 8}), double))
    assert servable.batching == Batching(8, 500)
    servable.graph.close()


def test_batching_of_a_model_that_counts_no_instances_is_refused(models: Path, double: bytes) -> None:
    plain = changed(changed(DOUBLE, "batching", {}), "signatures.predict.inputs.x.shape", [None, 2])
    plain = changed(plain, "signatures.predict.outputs.y.shape", [None, 2])
    assert refusal(models, plain, double) == (
        "double/1/model.yaml: batching: signature predict counts no instances: every input and output must have a "
        "shape that begins with batch; leave batching out"
    )


def test_joined_run_larger_than_a_call_may_be_is_refused(models: Path, double: bytes) -> None:
    small = changed(changed(DOUBLE, "batching", {"max_size": 8}), "limits.max_batch", 4)
    assert "batching.max_size: 8, but limits.max_batch is 4" in refusal(models, small, double)
