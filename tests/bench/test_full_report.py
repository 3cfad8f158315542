from __future__ import annotations

from pathlib import Path

import pytest

from bench.full_report import PAGE, report, targets_table, write_docs
from bench.load import Load
from bench.measure import Result, Round
from bench.plots import plot
from bench.targets import Results


def result(name: str, rate: float, workload: str = "iris", connections: int = 8) -> Result:
    load = Load(int(rate), 0, 1.0, 2.0, 5.0, 9.0, 0.1, "")
    return Result(name, "", (Round(load, 0.5),), workload, connections)


RESULTS = Results([result("ours", 900), result("stock Spyne, collector fixed", 300), result("hand-written lxml", 1000)])


def lines(workload: str) -> list[list[str]]:
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in targets_table(RESULTS, True).splitlines()
    ]
    return [line[1:] for line in cells if line[0] == workload]


def test_a_target_tells_its_ratio_and_whether_it_is_reached() -> None:
    assert lines("iris predict, waitress") == [
        ["stock Spyne + waitress, collector fixed", "at least 3.2", "3.00", "no"],
        ["bare lxml handler on waitress", "at least 0.8", "0.90", "yes"],
    ]
    assert lines("p99 / p50, 8 connections, waitress") == [["itself", "at most 3", "2.50", "yes"]]


def test_a_target_without_its_rival_says_who_was_absent() -> None:
    (line,) = lines("iris predict, 64 connections, waitress")
    assert line[2:] == ["-", "absent: ours, iris, 64 connections"]


def test_the_report_names_who_is_absent_and_why() -> None:
    text = report(RESULTS, {"Apache CXF": "mvn is missing"}, "2 cores", markdown=False)
    assert "Absent: Apache CXF: mvn is missing" in text


def test_plots_are_written_as_png_and_svg(tmp_path: Path) -> None:
    plot(RESULTS, tmp_path)
    names = {"performance-peers", "performance-latency", "performance-targets"}
    assert {file.name for file in tmp_path.iterdir()} == {f"{name}.{kind}" for name in names for kind in ("png", "svg")}


def test_write_docs_fills_only_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- one -->\nold\n<!-- /one -->\nafter\n")
    write_docs({"one": "new"}, page)
    assert page.read_text() == "before\n<!-- one -->\n\nnew\n\n<!-- /one -->\nafter\n"
    with pytest.raises(ValueError, match="<!-- two -->"):
        write_docs({"two": "new"}, page)


def test_the_page_has_the_markers() -> None:
    assert all(
        f"<!-- {slash}{name} -->" in PAGE.read_text()
        for name in ("bench-full", "bench-stages", "bench-workers", "bench-profile")
        for slash in ("", "/")
    )
