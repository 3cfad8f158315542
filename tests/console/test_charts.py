"""Charts: bars and lines where their values belong, and the same in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from soapsvc.console.charts import FLOOR, HEIGHT, WIDTH, Series, histogram, lines, nice, stacked
from soapsvc.console.performance import shown_s

ASSETS = Path(__file__).parents[2] / "soapsvc/console/static"


def text(value: float) -> str:
    return f"{value:g}"


def test_bars_of_a_minute_stand_on_each_other_within_the_field() -> None:
    chart = stacked("t", "s", [Series("a", "value", [0, 30]), Series("b", "fault", [0, 20])], text)
    lower, upper = chart.bars
    assert lower.y + lower.height == FLOOR
    assert upper.y + upper.height == pytest.approx(lower.y, abs=0.02)
    assert lower.height / upper.height == pytest.approx(1.5, rel=0.01)
    assert all(chart.left <= bar.x and bar.x + bar.width <= chart.right for bar in chart.bars)
    assert upper.title == "now: b 20"
    assert chart.rows == [["now", "30", "20"]]


def test_line_breaks_where_values_are_missing() -> None:
    chart = lines("t", "s", [Series("p50", "first", [1, 2, None, 3, None])], text)
    assert [len(piece) for piece in chart.lines[0].pieces] == [2, 1]
    assert chart.rows[0] == ["1 min ago", "3"]


def test_chart_of_nothing_has_a_field_and_no_rows() -> None:
    chart = stacked("t", "s", [Series("a", "value", [0] * 60)], text)
    assert (chart.bars, chart.rows) == ([], [])
    assert [tick.text for tick in chart.across] == ["45 min ago", "30 min ago", "15 min ago", "now"]


def test_histogram_has_a_bar_for_each_count_that_is_not_nothing() -> None:
    chart = histogram("t", "s", ["1 ms", "2 ms", "5 ms"], [3, 0, 1], "up to")
    assert [bar.title for bar in chart.bars] == ["1 ms: 3", "5 ms: 1"]
    assert chart.rows == [("1 ms", "3"), ("5 ms", "1")]


@pytest.mark.parametrize(("most", "top"), [(0, 1), (0.0031, 0.004), (1, 1), (57, 60), (101, 150), (9.5, 10)])
def test_scale_ends_at_a_round_number(most: float, top: float) -> None:
    assert nice(most) == pytest.approx(top)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, "none"), (0.0005, "0.5 ms"), (0.0123456, "12.3 ms"), (2.5, "2.5 s")]
)
def test_durations_are_shown_in_the_unit_that_reads_best(seconds: float | None, shown: str) -> None:
    assert shown_s(seconds) == shown


def test_template_draws_in_the_size_of_a_chart() -> None:
    template = (ASSETS.parent / "templates/performance.html").read_text()
    assert f'viewBox="0 0 {WIDTH} {HEIGHT}"' in template
