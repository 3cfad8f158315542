"""How many runs of a model the engine allows at a time, whichever of its versions they are of."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from soapsvc.engine.deadline import Deadline
from soapsvc.engine.local import LocalEngine
from soapsvc.errors import DeadlineExceeded
from soapsvc.model.signature import Limits
from tests.engine.test_batching import SIGNATURE, GateGraph, servable_of

FEEDS = {"x": np.float32([[1.0]])}


def test_version_with_a_limit_goes_on_once_a_run_of_one_without_ends() -> None:
    graph, engine = GateGraph(), LocalEngine()
    unlimited = servable_of(graph, None)
    limited = replace(unlimited, limits=Limits(max_concurrent_calls=1))
    with ThreadPoolExecutor() as threads:
        first = threads.submit(engine.predict, unlimited, SIGNATURE, FEEDS)
        assert graph.entered.wait(60)
        second = threads.submit(engine.predict, limited, SIGNATURE, FEEDS, Deadline(60, time.monotonic() + 60))
        while not engine._changed._waiters:  # type: ignore[attr-defined]
            time.sleep(0.001)
        graph.gate.set()
        assert [each.result(30)["y"].tolist() for each in (first, second)] == [[[2.0]], [[2.0]]]


def test_call_that_may_not_run_in_time_is_told_so() -> None:
    graph, engine = GateGraph(), LocalEngine()
    limited = replace(servable_of(graph, None), limits=Limits(max_concurrent_calls=1))
    with ThreadPoolExecutor() as threads:
        threads.submit(engine.predict, limited, SIGNATURE, FEEDS)
        assert graph.entered.wait(60)
        with pytest.raises(DeadlineExceeded):
            engine.predict(limited, SIGNATURE, FEEDS, Deadline(0.05, time.monotonic() + 0.05))
        graph.gate.set()
