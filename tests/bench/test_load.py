from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bench.field import READER
from bench.measure import Contest, measure
from bench.subjects import Running, running


@pytest.fixture(scope="module")
def reader() -> Iterator[Running]:
    with running((READER,)) as (server,):
        yield server


def test_measure_of_a_server_that_computes_nothing_counts_every_answer(reader: Running) -> None:
    lost: dict[str, str] = {}
    (result,) = measure([Contest(reader, "digits-mtom", 2)], 0.2, 2, lambda line: None, lost)
    assert lost == {}
    assert (result.name, result.workload, result.connections, len(result.rounds)) == ("reader", "digits-mtom", 2, 2)
    assert 0 < result.p50_ms <= result.p99_ms <= result.max_ms


def test_measure_drops_a_server_that_answers_wrongly_and_says_why(reader: Running) -> None:
    judged = replace(reader, subject=replace(reader.subject, computes=True))
    lost: dict[str, str] = {}
    assert measure([Contest(judged, "iris", 1)], 0.2, 1, lambda line: None, lost) == []
    (reason,) = lost.values()
    assert "first in b'<read/>'" in reason
