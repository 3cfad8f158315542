"""A model folder and the service that runs it: `predict` prints the same for both, byte for byte."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soapsvc.cli import main
from tests.conftest import ROOT, Server
from tests.kinds import GOLDEN

Both = Callable[..., tuple[int, str, str]]
PNG = base64.b64decode(
    json.loads((ROOT / "models/digits/1/warmup.jsonl").read_text().splitlines()[0])["inputs"]["images"][0]["b64"]
)
KINDS: dict[str, Any] = {
    "flag": True, "count": -3, "total": 2**40, "level": 200, "ratio": 0.1, "offset": 0.5, "note": "你好 & <ü>\r\n ",
    "left": 0.25, "right": 1e-7, "series": [1.5, 0.1], "codes": [7, 2**53 + 1], "words": ["one", ""],
    "grid": [[1, 2.5, 3], [4, 0.1, 6]], "picture": base64.b64encode(PNG).decode(),
}  # fmt: skip


@pytest.fixture(params=["soap", "soap12"])
def both(
    request: pytest.FixtureRequest, models: Path, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Both:
    """Return a function that predicts with a folder and at its URL, and returns what both printed."""

    def predict(model: str, *arguments: str) -> tuple[int, str, str]:
        results = []
        for target in (models / model / "1", f"{server.url}/{request.param}/{model}/v1?wsdl"):
            code = main(["predict", str(target), *arguments])
            captured = capsys.readouterr()
            results.append((code, captured.out, captured.err))
        local, remote = results
        assert local == remote
        return local

    return predict


def saved(path: Path, content: Any) -> str:
    path.write_text(json.dumps(content, ensure_ascii=False))
    return str(path)


def test_iris_csv(both: Both, tmp_path: Path) -> None:
    path = tmp_path / "flowers.csv"
    path.write_text("\ufeffpetalLength,petalWidth,sepalLength,sepalWidth\r\n1.4,0.2,5.1,3.5\r\n6.0,2.5,6.3,3.3\r\n")
    code, output, errors = both("iris", "--input", str(path))
    answers = json.loads(output)
    assert (code, errors) == (0, "")
    assert [answer["probabilities"][0]["label"] for answer in answers] == ["setosa", "virginica"]
    assert answers[0]["probabilities"][1]["score"] == pytest.approx(4.042088e-06, rel=1e-4)
    assert answers[0]["modelVersion"] == 1


def test_iris_npz_by_the_name_of_the_tensor(both: Both, tmp_path: Path) -> None:
    path = tmp_path / "flowers.npz"
    np.savez(path, features=np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]], np.float32))
    _, output, _ = both("iris", "--input", str(path), "--jsonl")
    labels = [json.loads(line)["probabilities"][0]["label"] for line in output.splitlines()]
    assert labels == ["setosa", "virginica"]


def test_digits_picture(both: Both, tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(PNG)
    _, output, _ = both("digits", "--input", str(tmp_path))
    assert json.loads(output)[0]["probabilities"][0]["label"] == "1"


def test_language_lines(both: Both, tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("Guten Morgen, wie geht es Ihnen?\n你好 & <ü>\n\nBonjour tout le monde\n")
    _, output, _ = both("language", "--input", str(path), "--input-text", "Hello world")
    labels = [answer["probabilities"][0]["label"] for answer in json.loads(output)]
    assert labels[:2] == ["de", "zh"]
    assert len(labels) == 5


def test_kinds_json_of_one_and_of_many(both: Both, tmp_path: Path) -> None:
    other = KINDS | {"series": [], "codes": [], "words": [], "note": "", "ratio": "-INF", "left": "NaN"}
    del other["offset"]
    instances = saved(tmp_path / "all.json", [KINDS, other, KINDS])
    code, output, errors = both("kinds", "--input", instances)
    answers = json.loads(output)
    assert (code, errors) == (0, "")
    first, second, _ = answers
    assert {name: first[name] for name in ("flag", "count", "total", "level", "ratio", "note", "series")} == {
        name: KINDS[name] for name in ("flag", "count", "total", "level", "ratio", "note", "series")
    }
    assert (first["codes"], first["words"], first["shifted"]) == (KINDS["codes"], KINDS["words"], 1.0)
    assert first["grid"] == {"dtype": "float32", "shape": [2, 3], "doubles": [1.0, 2.5, 3.0, 4.0, 0.1, 6.0]}
    assert len(base64.b64decode(first["pixels"]["content"])) == 12
    assert (second["ratio"], second["note"], second["series"], second["words"]) == ("-INF", "", [], [])
    assert "NaN" in [each["score"] for each in second["scores"]]
    _, alone, _ = both("kinds", "--input", saved(tmp_path / "one.json", KINDS))
    assert json.loads(alone) == [first]


def test_kinds_npz_of_arrays_by_the_names_of_the_inputs(both: Both, tmp_path: Path) -> None:
    path = tmp_path / "kinds.npz"
    arrays = {name: np.array(value) for name, value in GOLDEN.items()}
    arrays["picture"] = arrays["picture"].astype(np.uint8)
    np.savez(path, **arrays)
    _, output, _ = both("kinds", "--input", str(path))
    (answer,) = json.loads(output)
    assert answer["note"] == GOLDEN["note"][0]
    assert answer["grid"]["doubles"] == [1, 2, 3, 4, 5, 6]
    assert list(base64.b64decode(answer["pixels"]["content"])) == list(range(1, 13))


def test_kinds_csv_with_lists_and_an_empty_cell(both: Both, tmp_path: Path) -> None:
    path = tmp_path / "kinds.csv"
    names = [name for name in KINDS if name not in ("note", "level")]
    cells = {name: json.dumps(value) if isinstance(value, list) else str(value) for name, value in KINDS.items()}
    cells["offset"] = ""
    quoted = ['"{}"'.format(cells[name].replace('"', '""')) for name in names]
    path.write_text(f"{','.join(names)}\n{','.join(quoted)}\n")
    _, output, _ = both("kinds", "--input", str(path), "--set", "note=a, b", "--set", "level=7")
    (answer,) = json.loads(output)
    assert (answer["note"], answer["level"], answer["shifted"], answer["flag"]) == ("a, b", 7, 0.0, True)


def test_kinds_tensor_as_the_contract_has_it(both: Both, tmp_path: Path) -> None:
    content = base64.b64encode(np.arange(6, dtype="<f4").tobytes()).decode()
    grid = {"dtype": "float32", "shape": [2, 3], "content": content}
    _, output, _ = both("kinds", "--input", saved(tmp_path / "one.json", KINDS | {"grid": grid}))
    assert json.loads(output)[0]["grid"] == grid


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"count": 2**40}, "count: expected a whole number of at most 32 bits, received '1099511627776'"),
        ({"level": 300}, "level: expected a value that fits uint8, received 300"),
        ({"flag": "maybe"}, "flag: expected true or false, received 'maybe'"),
        ({"ratio": "much"}, "ratio: expected a number, NaN, INF or -INF, received 'much'"),
        ({"ratio": None}, "ratio: expected a value, received nothing"),
        ({"note": None}, "note: expected a value, received nothing"),
        ({"words": None}, "words: expected a value, received nothing"),
        ({"note": "x" * 65}, "note: expected text of at most 64 bytes, received 65 bytes"),
        ({"note": "\x01"}, "note: expected text that XML can hold, received a control character"),
        ({"note": 5}, "note: expected text, received '5'"),
        ({"series": [1, "x"]}, "series[1]: expected a number, NaN, INF or -INF, received 'x'"),
        ({"series": [0] * 6}, "series: expected time of at most 5, received 6"),
        ({"grid": [[1, 2], [3]]}, "grid: expected nested lists of float32, as long as each other"),
        ({"grid": [1, 2]}, "grid: expected shape [2, 3], received shape [2]"),
        ({"picture": "AAAA"}, "picture: expected the bytes of a PNG or JPEG, received 3 bytes that are neither"),
        ({"picture": "A"}, "picture: expected base64, received 'A'"),
        ({"nothing": 1}, "nothing: expected one of flag, count"),
    ],
)
def test_kinds_faults_are_the_same_sentence(both: Both, tmp_path: Path, changed: Any, message: str) -> None:
    path = saved(tmp_path / "all.json", [KINDS, KINDS | changed])
    code, output, errors = both("kinds", "--input", path)
    assert (code, output) == (1, "")
    assert errors.startswith(f"soapsvc: instance 2 of all.json: {message}")


def test_keep_going_answers_the_others(both: Both, tmp_path: Path) -> None:
    path = tmp_path / "flowers.csv"
    row = "5.1,3.5,1.4,0.2\n"
    path.write_text("sepalLength,sepalWidth,petalLength,petalWidth\n" + row * 3 + "5,4,NaN,1\n" + row + "5,4,nan,1\n")
    code, output, errors = both("iris", "--input", str(path), "--keep-going", "--batch", "2")
    answers = json.loads(output)
    assert code == 1
    assert [sorted(answer) for answer in answers[3:]] == [["error"], ["modelVersion", "probabilities"], ["error"]]
    assert errors.splitlines() == [
        "row 4 of flowers.csv: petalLength: expected a finite number, received NaN",
        "row 6 of flowers.csv: petalLength: expected a number, NaN, INF or -INF, received 'nan'",
    ]


def test_a_batch_beyond_the_limit_is_cut_to_it(both: Both, tmp_path: Path) -> None:
    code, output, _ = both("kinds", "--input", saved(tmp_path / "all.json", [KINDS] * 17), "--batch", "100")
    assert code == 0
    assert len(json.loads(output)) == 17
