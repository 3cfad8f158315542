"""How a client's words and what the server saw become cells, and cells a page."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interop.client import Built, Cell, Client, Column, Verdict, Workplace, try_client
from interop.features import FEATURES
from interop.page import cells_of, failures, write_page
from interop.tools import CannotRun, need

MULTIPART = {"request_type": "Multipart/Related; type=x", "answer_type": "multipart/related; type=x"}
PLAIN = {"request_type": "text/xml", "answer_type": "text/xml"}
Attempt = Callable[..., Column]


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    """Return a function that tries a client which prints lines, while the server records exchanges."""

    def run(lines: list[dict[str, Any]], seen: list[dict[str, Any]], **more: Any) -> Column:
        program = tmp_path / "program.py"
        program.write_text(f"import json\nfor line in {lines!r}:\n    print(json.dumps(line))\n")
        records = tmp_path / "records.jsonl"
        codings = {"client": "toy", "request_coding": "", "answer_coding": "", "addressed": False}
        records.write_text("".join(json.dumps(codings | each) + "\n" for each in seen))
        built = Built("toy 1", [sys.executable, program], {"wsdl": Cell(Verdict.YES)})
        wsdls = tmp_path / "wsdl"
        wsdls.mkdir(exist_ok=True)
        place = Workplace(tmp_path / "toy", "http://localhost", wsdls, tmp_path / "picture.png", tmp_path / "scene.jpg")
        return try_client(Client("toy", "Toy", lambda _: built, **more), place, "http://localhost", records)

    return run


def test_feature_that_works_says_yes(attempt: Attempt) -> None:
    column = attempt([{"feature": "scalars", "ok": True, "note": "as it is"}], [])
    assert column.cells["scalars"] == Cell(Verdict.YES, "as it is")


def test_feature_that_fails_is_ours_unless_the_client_is_known_for_it(attempt: Attempt) -> None:
    lines = [{"feature": name, "ok": False, "note": "broken"} for name in ("nan", "text")]
    lines.append({"feature": "utf8", "ok": False, "note": "something else"})
    column = attempt(lines, [], fails=dict.fromkeys(("nan", "utf8"), ("broken", "it can't")))
    assert column.cells["nan"] == Cell(Verdict.THEIRS, "it can't")
    assert column.cells["text"] == Cell(Verdict.NO, "broken")
    assert column.cells["utf8"] == Cell(Verdict.NO, "something else")
    assert "Toy, text: broken" in failures([column])


def test_feature_that_was_never_tried_is_a_failure(attempt: Attempt) -> None:
    assert attempt([], []).cells["batch"].verdict is Verdict.NO


@pytest.mark.parametrize(("seen", "verdict"), [(MULTIPART, Verdict.YES), (PLAIN, Verdict.NO)])
def test_feature_of_the_wire_must_be_seen_there(attempt: Attempt, seen: dict[str, str], verdict: Verdict) -> None:
    lines = [{"feature": "mtom-in", "ok": True, "note": ""}]
    assert attempt(lines, [{"feature": "mtom-in", **seen}]).cells["mtom-in"].verdict is verdict


def test_client_that_can_not_be_built_fails_everywhere_with_the_reason(tmp_path: Path) -> None:
    def build(_: Workplace) -> Built:
        raise CannotRun("no compiler")

    place = Workplace(tmp_path / "toy", "http://localhost", tmp_path, tmp_path / "picture.png", tmp_path / "scene.jpg")
    column = try_client(Client("toy", "Toy", build), place, "http://localhost", tmp_path / "none")
    assert set(column.cells.values()) == {Cell(Verdict.NO, "no compiler")}


def test_missing_program_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(CannotRun, match=r"soap-of-tomorrow is missing; install it with: apt-get .*some-package"):
        need(["soap-of-tomorrow"], ["some-package"])


def test_page_gives_back_its_cells(attempt: Attempt) -> None:
    lines = [{"feature": feature.key, "ok": feature.key != "nan", "note": "a note"} for feature in FEATURES]
    cells = cells_of(write_page([attempt(lines, [], lacks={"gzip-in": "none"})]))
    assert len(cells) == len(FEATURES)
    assert (cells["Toy", "gzip request"], cells["Toy", "NaN, INF"], cells["Toy", "text"]) == ("-", "no", "yes")
