"""The command `freeze` as a user meets it: options, what it refuses before it reads, and what it leaves behind.

`freeze` and `answers` are what the other tests of freezing run.
"""

from __future__ import annotations

import argparse
import errno
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import yaml

from soapsvc.authoring.freeze_command import add_freeze_parser
from soapsvc.authoring.freeze_golden import difference
from soapsvc.authoring.source import SourceError
from soapsvc.model.contract import Contract
from soapsvc.model.loader import load
from soapsvc.model.source import VersionFolder
from tests.conftest import ROOT
from tests.test_docs import section


def freeze(source: Path, to: Path, *options: str) -> None:
    """Run the command in this process."""
    parser = argparse.ArgumentParser()
    add_freeze_parser(parser.add_subparsers())
    arguments = parser.parse_args(["freeze", str(source), "--to", str(to), *options])
    assert arguments.run(arguments) == 0


def answers(folder: Path, **inputs: Any) -> dict[str, np.ndarray]:
    """Load a model folder as the server does, and run it once."""
    servable = load(VersionFolder(folder.parent.name, int(folder.name), folder))
    try:
        signature = servable.signatures[servable.signature]
        fed = {name: np.asarray(value) for name, value in inputs.items()}
        signature.check_inputs(fed, servable.limits)
        return servable.run(signature, fed)
    finally:
        servable.graph.close()


def manifest(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((folder / "model.yaml").read_text())
    return content


def left_behind(path: Path) -> list[str]:
    return sorted(str(found.relative_to(path)) for found in path.rglob("*"))


@pytest.fixture(scope="session")
def scores_pb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frozen graph: x float32 (any, 4) -> scores float32 (any, 3), times a keep_prob that must be fed."""
    path = tmp_path_factory.mktemp("pb") / "scores.pb"
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 4], "x")
        keep = tf.compat.v1.placeholder(tf.float32, [], "keep_prob")
        weight = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
        tf.nn.softmax(tf.matmul(x, weight) * keep, name="net/scores")
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


@pytest.mark.parametrize("to", ["models/Iris/1", "models/iris/one", "models/iris/0", "iris"])
def test_target_that_is_no_version_folder_is_refused(to: str, scores_pb: Path) -> None:
    with pytest.raises(SourceError, match="models/NAME/VERSION"):
        freeze(scores_pb, Path(to))


def test_existing_folder_is_kept_without_force_and_replaced_with_it(scores_pb: Path, tmp_path: Path) -> None:
    to = tmp_path / "scores" / "1"
    freeze(scores_pb, to, "--constant", "keep_prob=1.0")
    before = (to / "model.yaml").read_bytes()
    with pytest.raises(SourceError, match="--force"):
        freeze(scores_pb, to, "--constant", "keep_prob=2.0")
    assert (to / "model.yaml").read_bytes() == before

    freeze(scores_pb, to, "--constant", "keep_prob=2.0", "--force")

    assert manifest(to)["signatures"]["predict"]["constants"] == {"keep_prob:0": 2.0}


def test_labels_columns_and_description_stand_in_the_manifest(scores_pb: Path, tmp_path: Path) -> None:
    labels = tmp_path / "names.txt"
    labels.write_text("rot\ngrün\nblau\n", encoding="utf-8")
    to = tmp_path / "models" / "scores" / "3"
    freeze(
        scores_pb, to, "--constant", "keep_prob=0.5", "--labels", str(labels), "--columns", "a,b,c,d",
        "--description", "Says which.",
    )  # fmt: skip

    servable = load(VersionFolder("scores", 3, to))
    servable.graph.close()
    assert [field.element for field in servable.contract.inputs] == ["a", "b", "c", "d"]
    assert servable.contract.outputs[0].kind == "scoredLabels"
    assert servable.contract.outputs[0].labels == ("rot", "grün", "blau")
    assert servable.description == "Says which."


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--inputs", "x"], "--constant keep_prob=VALUE"),
        (["--constant", "keep_prob=word"], "is no float32"),
        (["--constant", "kept=1.0"], "no tensor kept:0"),
        (["--outputs", "nothing"], "no tensor nothing:0"),
        (["--outputs", "x", "--inputs", "x,keep_prob"], "leave it out"),
        (["--constant", "keep_prob=1.0", "--columns", "a,b"], "--columns"),
        (["--constant", "keep_prob=1.0", "--tolerance", "-1"], "answers otherwise"),
        (["--constant", "keep_prob=.nan"], "not finite"),
        (["--constant", "keep_prob=1.0", "--output-names", "a,b"], "1 different names"),
        (["--constant", "keep_prob=1.0", "--golden", "missing.npz"], "--golden"),
        (["--constant", "keep_prob=1.0", "--output-names", "model_version"], "--output-names"),
    ],
)
def test_refusal_says_what_to_do_and_leaves_nothing_behind(
    options: list[str], words: str, scores_pb: Path, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=words):
        freeze(scores_pb, tmp_path / "models" / "scores" / "1", *options)
    assert left_behind(tmp_path) == []


def test_tensor_that_is_the_cause_of_serving_no_batches_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tf.Graph().as_default() as graph:
        state = tf.compat.v1.placeholder(tf.float32, [1, None], "state")
        tf.add(tf.compat.v1.placeholder(tf.float32, [None, None], "cell/inputs"), state, name="outputs")
    (tmp_path / "cell.pb").write_bytes(graph.as_graph_def().SerializeToString())
    to = tmp_path / "models" / "cell" / "1"
    freeze(tmp_path / "cell.pb", to)

    assert "not batches: see the first dimension of state\n" in capsys.readouterr().out
    signature = manifest(to)["signatures"]["predict"]
    assert (list(signature["inputs"]), list(signature["outputs"])) == (["state", "inputs"], ["outputs"])


def test_name_that_is_a_word_of_javas_gets_another_element(scores_pb: Path, tmp_path: Path) -> None:
    to = tmp_path / "models" / "scores" / "1"
    freeze(scores_pb, to, "--constant", "keep_prob=1.0", "--output-names", "class")

    assert manifest(to)["contract"]["outputs"] == {"class": {"element": "classValue"}}


@pytest.fixture(scope="session")
def pair_pb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """left and right float32 (any, 2) -> sum, twice float32 (any, 2)."""
    path = tmp_path_factory.mktemp("pair") / "pair.pb"
    with tf.Graph().as_default() as graph:
        left, right = (tf.compat.v1.placeholder(tf.float32, [None, None], name) for name in ("left", "right"))
        tf.reshape(left + right, [-1, 2], name="sum")
        tf.reshape(left * right, [-1, 2], name="product")
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def served(folder: Path) -> Contract:
    servable = load(VersionFolder(folder.parent.name, int(folder.name), folder))
    servable.graph.close()
    return servable.contract


def test_columns_units_and_labels_for_several_tensors(pair_pb: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text(f"{name}1\n{name}2\n")
    to = tmp_path / "models" / "pair" / "1"
    freeze(
        pair_pb, to, "--free-size", "2", "--columns", "left=width,height", "--columns", "right=depth,weight",
        "--units", "left=centimetres", "--labels", f"sum={tmp_path / 'a.txt'}",
        "--labels", f"product={tmp_path / 'b.txt'}",
    )  # fmt: skip

    contract = served(to)
    assert [field.element for field in contract.inputs] == ["width", "height", "depth", "weight"]
    assert [field.description for field in contract.inputs] == ["centimetres", "centimetres", "", ""]
    assert {field.tensor: field.labels for field in contract.outputs} == {"sum": ("a1", "a2"), "product": ("b1", "b2")}
    assert manifest(to)["signatures"]["predict"]["inputs"]["left"]["shape"] == ["batch", 2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--columns", "a,b"], "--columns: 2 of left float32"),
        (["--columns", "middle=a,b"], "--columns middle: 0 of left float32"),
        (["--columns", "left=a,b", "--columns", "c,d"], "--columns stands more than once"),
        (["--units", "metres"], "--units: 2 of"),
        (["--columns", "left=a,b", "--columns", "right=a,c"], "two elements are named a"),
    ],
)
def test_option_that_may_mean_several_tensors_is_refused(
    options: list[str], words: str, pair_pb: Path, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=words):
        freeze(pair_pb, tmp_path / "models" / "pair" / "1", "--free-size", "2", *options)
    assert left_behind(tmp_path) == []


def test_example_of_a_contract_file_wins_over_what_is_inferred_and_loses_against_options(
    scores_pb: Path, tmp_path: Path
) -> None:
    text = section((ROOT / "docs" / "freezing.md").read_text(), "The contract")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "contract.yaml").write_text(example)
    (tmp_path / "species.txt").write_text("setosa\nversicolor\nvirginica\n")
    to = tmp_path / "models" / "iris" / "1"
    freeze(
        scores_pb, to, "--constant", "keep_prob=1.0", "--contract", str(tmp_path / "contract.yaml"),
        "--input-names", "features", "--output-names", "probabilities",
        "--labels", str(tmp_path / "species.txt"), "--units", "centimetres", "--description", "Another text.",
    )  # fmt: skip

    contract = served(to)
    assert (contract.version, contract.description) == (2, "Another text.")
    columns = ["sepalLength", "sepalWidth", "petalLength", "petalWidth"]
    assert [field.element for field in contract.inputs] == columns
    assert {(field.description, field.finite) for field in contract.inputs} == {("of one flower (centimetres)", True)}
    (species,) = contract.outputs
    assert (species.element, species.top, species.labels) == ("species", 2, ("setosa", "versicolor", "virginica"))
    assert manifest(to)["limits"] == {"max_batch": 50}
    assert manifest(to)["contract"]["outputs"]["probabilities"]["labels"] == "labels.txt"


def test_labels_of_a_contract_file_stand_beside_it(scores_pb: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("a\nb\nc\n")
    text = "contract: {outputs: {scores: {as: scoredLabels, labels: names.txt}}}"
    (tmp_path / "contract.yaml").write_text(text)
    to = tmp_path / "models" / "scores" / "1"
    freeze(scores_pb, to, "--constant", "keep_prob=1.0", "--contract", str(tmp_path / "contract.yaml"))

    assert (to / "labels.txt").read_text() == "a\nb\nc\n"
    assert served(to).outputs[0].labels == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("contract: {inputs: {x: {colums: [a]}}}", "contract.inputs.x.colums: unknown key; docs/manifest.md"),
        ("signatures: {}", "signatures: unknown key"),
        ("contract: {inputs: {y: {finite: true}}}", "contract.inputs.y is not in the signature; it has x"),
        ("contract: {outputs: {scores: {top: 2}}}", "contract.outputs.scores: `top` goes with"),
        ("contract: {outputs: {scores: {as: scoredLabels, labels: no.txt}}}", "contract.outputs.scores.labels: expect"),
        ("contract: {signature: other}", "contract.signature is 'other'"),
        ("contract: {inputs: {x: {as: image}}}", "contract.inputs.x.as: image needs"),
        ("limits: {max_batch: 0}", "limits.max_batch: Input should be greater"),
        ("contract: [", "not YAML"),
    ],
)
def test_contract_file_that_makes_no_sense_is_refused(text: str, words: str, scores_pb: Path, tmp_path: Path) -> None:
    file = tmp_path / "contract.yaml"
    file.write_text(text)
    with pytest.raises(SourceError, match=re.escape(words)):
        freeze(scores_pb, tmp_path / "models" / "scores" / "1", "--constant", "keep_prob=1.0", "--contract", str(file))
    assert left_behind(tmp_path) == ["contract.yaml"]


def test_labels_that_fit_no_output_are_refused(scores_pb: Path, tmp_path: Path) -> None:
    (tmp_path / "two.txt").write_text("a\nb\n")
    with pytest.raises(SourceError, match="one for each of the 2 labels"):
        freeze(
            scores_pb, tmp_path / "scores" / "1", "--constant", "keep_prob=1.0", "--labels", str(tmp_path / "two.txt")
        )
    assert left_behind(tmp_path) == ["two.txt"]


def test_golden_file_is_what_the_folder_records(scores_pb: Path, tmp_path: Path) -> None:
    rows = np.array([[5.0, 3.0, 1.5, 0.25], [0.0, 1.0, 2.0, 3.0]], np.float32)
    np.savez(tmp_path / "rows.npz", x=rows)
    to = tmp_path / "models" / "scores" / "1"
    freeze(scores_pb, to, "--constant", "keep_prob=1.0", "--golden", str(tmp_path / "rows.npz"))

    assert '"x": [[5.0, 3.0, 1.5, 0.25], [0.0, 1.0, 2.0, 3.0]]' in (to / "warmup.jsonl").read_text()


def test_command_prints_difference_nodes_and_bytes(
    scores_pb: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    freeze(scores_pb, tmp_path / "models" / "scores" / "1", "--constant", "keep_prob=1.0")

    printed = capsys.readouterr().out
    assert "largest difference between original and frozen graph: 0" in printed
    assert "nodes: 6 before, 6 after" in printed
    assert f"bytes: {scores_pb.stat().st_size} before" in printed


def at_terminal(answer: str, *arguments: str) -> tuple[int, str]:
    """Run the command at a terminal of its own, type `answer` when asked; return exit code and what was shown."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "soapsvc", "freeze", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
            if answer and shown.endswith(b"[y/N] "):
                os.write(ours, answer.encode())
    except OSError as err:  # Linux's end of a terminal that nobody holds any more
        if err.errno != errno.EIO:
            raise
    finally:
        os.close(ours)
    return process.wait(timeout=60), shown.decode()


@pytest.mark.parametrize(("answer", "code", "written"), [("y\n", 0, True), ("\n", 1, False), ("\x04", 1, False)])
def test_suggestions_are_confirmed_at_a_terminal(
    answer: str, code: int, written: bool, scores_pb: Path, tmp_path: Path
) -> None:
    to = tmp_path / "models" / "scores" / "1"
    found, shown = at_terminal(answer, str(scores_pb), "--to", str(to), "--constant", "keep_prob=1.0")

    assert (found, (to / "model.pb").is_file()) == (code, written)
    assert "suggested output net/scores:0: nobody consumes it" in shown
    assert ("were not confirmed" in shown) is not written


@pytest.mark.parametrize("options", [["--yes"], ["--inputs", "x", "--outputs", "net/scores"]])
def test_nothing_is_asked_when_all_is_said(options: list[str], scores_pb: Path, tmp_path: Path) -> None:
    to = tmp_path / "models" / "scores" / "1"
    code, shown = at_terminal("", str(scores_pb), "--to", str(to), "--constant", "keep_prob=1.0", *options)

    assert code == 0
    assert "[y/N]" not in shown


def test_parser_is_made_without_tensorflow() -> None:
    code = "import sys, soapsvc.authoring.freeze_command; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("wanted", "answered", "expected"),
    [
        (np.array([1.0, 100.0]), np.array([1.5, 101.0]), 0.5),
        (np.array([np.nan]), np.array([np.nan]), 0.0),
        (np.array([np.nan]), np.array([1.0]), np.inf),
        (np.array([np.inf]), np.array([np.inf]), 0.0),
        (np.array([b"a"], object), np.array([b"b"], object), np.inf),
        (np.zeros((2, 1)), np.zeros((1, 2)), np.inf),
    ],
)
def test_difference_is_relative_above_one(wanted: np.ndarray, answered: np.ndarray, expected: float) -> None:
    assert difference(wanted, answered) == expected
