"""The soak in short, and that it would notice what must not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.__main__ import told
from tests.soak.calls import adder, adder_version, bundled
from tests.soak.changes import Changes
from tests.soak.clients import Tally
from tests.soak.run import Plan, Report, soak
from tests.soak.workers import Life, Sample

SHORT = Plan(calls=3000, swaps=3, kills=1, moves=10, warm_up=500)


def test_calls_beside_swaps_kills_slow_and_broken_clients_keep_every_promise(tmp_path: Path) -> None:
    report = soak(SHORT, tmp_path, lambda done, what: None)
    assert report.broken_promises() == [], (tmp_path / "server.log").read_text()[-5000:]
    assert len(report.tally.versions) >= 3
    assert report.tally.broken > 50
    assert f"{report.tally.good} good calls" in told(report)


def quiet(descriptors: int = 9) -> list[Sample]:
    return [Sample(0, 0, 700, descriptors, 18)]


def report_of(tally: Tally, rss: float = 700, kills: tuple[float, ...] = (), after: int = 9) -> Report:
    """Return the report of a soak of 100 calls whose one worker held rss MiB at its end."""
    changes = Changes("", Path())
    changes.kills = list(kills)
    life = Life(1, [Sample(0, calls, 700 if calls < 50 else rss, 9, 18) for calls in range(100)])
    plan = Plan(calls=tally.good, swaps=0, kills=0, moves=0, warm_up=10)
    return Report(plan, tally, changes, 1, quiet(), quiet(after), [life])


def test_report_in_order_breaks_no_promise() -> None:
    assert report_of(Tally(good=100, lost=[(9.5, 10.5)]), rss=730, kills=(10,)).broken_promises() == []


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (report_of(Tally(wrong=["mixed"])), "mixed"),
        (
            report_of(Tally(lost=[(12, 13)]), kills=(10,)),
            "a good call got no answer although no worker was killed then",
        ),
        (report_of(Tally(lost=[(8, 9)]), kills=(10,)), "a good call got no answer although no worker was killed then"),
        (report_of(Tally(), rss=736), "memory of process 1 grew from 700 to 736 MiB"),
        (report_of(Tally(), after=10), "descriptors of a worker at rest grew from 9 to 10"),
    ],
)
def test_broken_promise_is_told(report: Report, text: str) -> None:
    assert report.broken_promises() == [text]


@pytest.mark.parametrize(
    "rows",
    [
        [(6, 2), (9, 3)],  # of two versions
        [(6, 2), (9, 2)],  # computed by one version and called another's
        [(6, 2)],
    ],
)
def test_mixed_answer_is_noticed(rows: list[tuple[int, int]]) -> None:
    answer = "".join(f"<product>{row}</product><modelVersion>{version}</modelVersion>" for row, version in rows)
    with pytest.raises(AssertionError):
        adder_version([3, 3], answer.encode())


def test_calls_are_of_every_bundled_model() -> None:
    paths = {request.path.split("/")[2] for request in [*bundled(), adder([1])]}
    assert paths == {"iris", "digits", "language", "inference", "adder"}
