"""Work left behind is done in its order, also after some of it failed, and from within itself."""

from __future__ import annotations

import queue
from collections import deque

import pytest

from soapsvc.later import Later


def test_work_goes_on_after_some_of_it_failed(caplog: pytest.LogCaptureFixture) -> None:
    done: queue.SimpleQueue[int] = queue.SimpleQueue()

    def work(items: deque[int]) -> None:
        while items:
            done.put(10 // items.popleft())

    later = Later("tens", 0.0, work)
    for item in (5, 0, 2):
        later.add(item)
    assert [done.get(timeout=60)] == [2]
    later.add(1)
    assert [done.get(timeout=60), done.get(timeout=60)] == [5, 10]
    assert "tens: work that was left behind failed" in caplog.text


def test_work_that_flushes_itself_does_not_wait_for_itself() -> None:
    """As a signal handler does that logs a warning while its thread writes the log."""
    done: list[str] = []

    def work(items: deque[str]) -> None:
        while items:
            item = items.popleft()
            done.append(item)
            if item == "write":
                items.append("interrupt")
                later.flush()

    later = Later("log", 0.0, work)
    later.add("write")
    later.flush()
    assert done == ["write", "interrupt"]
