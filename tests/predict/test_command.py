"""`predict` with a model folder: what it reads, prints, writes and refuses."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soapsvc.cli import main
from soapsvc.predict.output import as_csv, as_json, as_table
from soapsvc.predict.run import Prediction
from tests.conftest import ROOT

FLOWER = {"sepalLength": 5.1, "sepalWidth": 3.5, "petalLength": 1.4, "petalWidth": 0.2}
HEADER = ",".join(FLOWER) + "\n"
Predict = Callable[..., tuple[int, str, str]]


@pytest.fixture
def predict(capsys: pytest.CaptureFixture[str]) -> Predict:
    """Return a function that predicts with a bundled model and returns the exit code, output and errors."""

    def run(model: str, *arguments: Any) -> tuple[int, str, str]:
        code = main(["predict", str(ROOT / "models" / model / "1"), *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def labels(output: str) -> list[str]:
    return [answer["probabilities"][0]["label"] for answer in json.loads(output)]


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("one.json", json.dumps(FLOWER), 1),
        ("many.json", json.dumps([FLOWER] * 3), 3),
        ("lines.jsonl", f"{json.dumps(FLOWER)}\n\n{json.dumps(FLOWER)}\n", 2),
        ("lines.json", f"{json.dumps(FLOWER)}\n{json.dumps(FLOWER)}\n", 2),
        ("quoted.CSV", HEADER + '"5.1","3.5","1.4",0.2\n', 1),
        ("empty.csv", HEADER, 0),
    ],
)
def test_file_by_its_suffix(predict: Predict, tmp_path: Path, name: str, content: str, count: int) -> None:
    (tmp_path / name).write_text(content)
    code, output, _ = predict("iris", "--input", tmp_path / name)
    assert code == 0
    assert labels(output) == ["setosa"] * count


def test_npz_of_another_dtype_is_brought_to_the_inputs(predict: Predict, tmp_path: Path) -> None:
    np.savez(tmp_path / "whole.npz", features=np.array([[5, 3, 1, 0], [6, 3, 6, 2]]))
    np.savez(tmp_path / "named.npz", **{name: np.array([value, value]) for name, value in FLOWER.items()})
    _, output, _ = predict("iris", "--input", tmp_path / "whole.npz", tmp_path / "named.npz")
    assert labels(output) == ["setosa", "virginica", "setosa", "setosa"]


def test_several_inputs_keep_their_order(predict: Predict, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(HEADER + "6.3,3.3,6.0,2.5\n")
    (tmp_path / "a.json").write_text(json.dumps(FLOWER))
    _, output, _ = predict("iris", "--input", tmp_path / "b.csv", tmp_path / "a.json", "--input", tmp_path / "b.csv")
    assert labels(output) == ["virginica", "setosa", "virginica"]


def test_format_overrules_the_suffix(predict: Predict, tmp_path: Path) -> None:
    (tmp_path / "flowers.txt").write_text(HEADER + "5.1,3.5,1.4,0.2\n")
    _, output, _ = predict("iris", "--input", tmp_path / "flowers.txt", "--format", "csv")
    assert labels(output) == ["setosa"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("no.csv", "sepalLength,petalSize\n1,2\n", "no.csv: expected a header row of names out of sepalLength"),
        ("no.csv", HEADER + "1,2\n", "row 1 of no.csv: expected 4 cells, found 2"),
        ("no.csv", HEADER + '1,"2\n', "no.csv: line 2: expected CSV as RFC 4180 has it"),
        ("no.csv", HEADER + "1,2,3,\n", "row 1 of no.csv: petalWidth: expected a number, NaN, INF or -INF"),
        ("no.json", "{", "no.json: expected JSON"),
        ("no.json", "[1]", "instance 1 of no.json: expected an object of the contract's elements"),
        ("no.jsonl", '{"a": 1}\nx', "line 2 of no.jsonl: expected JSON"),
        ("no.jsonl", '{"a": 1}\n', "line 1 of no.jsonl: a: expected one of sepalLength"),
        ("no.npz", "text", "no.npz: expected an .npz of numpy arrays"),
        ("no.txt", "text", "no.txt: expected a model with one text as input, this one takes sepalLength (scalar)"),
        ("no.png", "text", "no.png: expected a model with one picture as input"),
        ("no.parquet", "text", "no.parquet: unknown kind of file; say which with --format json|jsonl|csv|npz"),
    ],
)  # fmt: skip
def test_file_that_does_not_fit_is_told_with_its_place(
    predict: Predict, tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    code, output, errors = predict("iris", "--input", tmp_path / name)
    assert (code, output) == (1, "")
    assert errors.startswith(f"soapsvc: {message}")


def test_text_that_is_not_utf8_is_refused(predict: Predict, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("Müller".encode("latin-1"))
    _, _, errors = predict("language", "--input", tmp_path / "latin.txt")
    assert "latin.txt: expected UTF-8, found another byte at 1; save it as UTF-8" in errors


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"features": np.zeros((2, 3))}, "features: expected 4 values an instance, found (3,)"),
        ({"nothing": np.zeros((2, 4))}, "there is no input nothing; expected arrays named features"),
        ({"sepalLength": np.zeros(2), "sepalWidth": np.zeros(3)}, "expected arrays with one first dimension"),
        ({"features": np.array([[1, 2, 3, None]])}, "without Python objects"),
    ],
)
def test_npz_that_does_not_fit_is_told(predict: Predict, tmp_path: Path, arrays: Any, message: str) -> None:
    np.savez(tmp_path / "no.npz", **arrays)
    code, _, errors = predict("iris", "--input", tmp_path / "no.npz")
    assert code == 1
    assert message in errors


def test_folder_without_pictures_is_told(predict: Predict, tmp_path: Path) -> None:
    _, _, errors = predict("digits", "--input", tmp_path)
    assert "expected a folder that holds pictures" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to predict; give --input FILE or --input-text TEXT"),
        (("--input", "none.csv"), "--input: there is no none.csv"),
        (("--input-text", "x", "--output", "none/answers.csv"), "--output: there is no folder none"),
        (("--input-text", "x", "--output", "answers.xls"), "expected a name that ends in .json, .jsonl or .csv"),
    ],
)
def test_arguments_that_make_no_sense_are_told(predict: Predict, arguments: tuple[str, ...], message: str) -> None:
    code, _, errors = predict("language", *arguments)
    assert code == 1
    assert message in errors


@pytest.mark.parametrize("arguments", [("--batch", "0"), ("--set", "top"), ("--timeout", "never")])
def test_argument_of_another_form_exits_2(predict: Predict, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as raised:
        predict("language", "--input-text", "x", *arguments)
    assert raised.value.code == 2


def test_folder_that_is_no_model_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(tmp_path), "--input-text", "x"]) == 1
    assert "expected a version's folder that holds model.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["json", "jsonl", "csv"])
def test_output_file_is_whole_and_never_replaced_unasked(predict: Predict, tmp_path: Path, suffix: str) -> None:
    written = tmp_path / f"answers.{suffix}"
    code, output, _ = predict("language", "--input-text", "Bonjour", "--output", written)
    assert (code, output) == (0, "")
    first = written.read_text()
    assert first == predict("language", "--input-text", "Bonjour", f"--{suffix}")[1].replace("\r\n", "\n")
    code, _, errors = predict("language", "--input-text", "Hello", "--output", written)
    assert code == 1
    assert "exists; choose another name, or replace it with --force" in errors
    assert written.read_text() == first
    assert predict("language", "--input-text", "Hello", "--output", written, "--force")[0] == 0
    assert written.read_text() != first
    assert [path.name for path in tmp_path.iterdir()] == [written.name]


def test_failed_run_writes_nothing(predict: Predict, tmp_path: Path) -> None:
    (tmp_path / "flowers.csv").write_text(HEADER + "5.1,3.5,1.4,NaN\n")
    code, _, _ = predict("iris", "--input", tmp_path / "flowers.csv", "--output", tmp_path / "answers.json")
    assert code == 1
    assert not (tmp_path / "answers.json").exists()


def test_standard_input_as_a_process() -> None:
    command = [sys.executable, "-m", "soapsvc", "predict", "models/iris/1", "--input", "-", "--jsonl"]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps([FLOWER] * 2), capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 2


def test_op_library_is_allowed_by_its_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "iris" / "1"
    shutil.copytree(ROOT / "models/iris/1", folder)
    manifest = folder / "model.yaml"
    manifest.write_text(manifest.read_text() + "requires_ops: [string]\n")  # a module that is there and brings no op
    (tmp_path / "one.json").write_text(json.dumps(FLOWER))
    arguments = ["predict", str(folder), "--input", str(tmp_path / "one.json")]
    assert main(arguments) == 1
    assert "requires_ops: string is not allowed here" in capsys.readouterr().err
    assert main([*arguments, "--op-library", "string"]) == 0


ANSWER = {
    "flag": True, "note": 'a "b", c', "ratio": float("nan"), "low": float("-inf"), "series": [1.5, float("inf")],
    "grid": {"dtype": "uint8", "shape": [1], "content": b"\x01"}, "scores": [{"label": "left", "score": 0.123456}],
}  # fmt: skip
SHOWN = [Prediction("row 1", ANSWER), Prediction("row 2", error="count: expected more")]


def test_json_spells_what_json_lacks_as_the_service_does() -> None:
    answer, error = json.loads(as_json(SHOWN))
    assert (answer["ratio"], answer["low"], answer["series"]) == ("NaN", "-INF", [1.5, "INF"])
    assert answer["grid"]["content"] == "AQ=="
    assert error == {"error": "count: expected more"}


def test_csv_has_a_column_for_each_element_and_the_best_label() -> None:
    first, second = csv.DictReader(io.StringIO(as_csv(SHOWN)))
    assert (first["flag"], first["note"], first["series"]) == ("true", 'a "b", c', '[1.5, "INF"]')
    assert (first["scores"], first["scores.score"], first["error"]) == ("left", "0.123456", "")
    assert (second["instance"], second["note"], second["error"]) == ("row 2", "", "count: expected more")


def test_table_shows_instances_answers_and_errors() -> None:
    text = as_table(SHOWN, width=200)
    assert "left 0.1235" in text
    assert "uint8 [1]" in text
    assert "count: expected more" in text
