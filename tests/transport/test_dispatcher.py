"""Threads of calls give way to new ones: what lxml keeps for a thread must not outlive many messages."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import pytest

from soapsvc.transport.dispatcher import CALLS_OF_A_THREAD, Allowance, ModelDispatcher, Ticket


class Channel:
    """Tells which thread took its call."""

    def __init__(self) -> None:
        self.taken_by: queue.SimpleQueue[threading.Thread] = queue.SimpleQueue()

    def service(self) -> None:
        self.taken_by.put(threading.current_thread())


@pytest.fixture
def dispatcher() -> Iterator[ModelDispatcher]:
    """A dispatcher of one thread."""
    made = ModelDispatcher(1, lambda channel, error: None)
    yield made
    made.shutdown()


def take(dispatcher: ModelDispatcher, large: bool = False) -> threading.Thread:
    channel = Channel()
    dispatcher.add(Ticket(channel, "model", Allowance(1, 1), large=large))
    return channel.taken_by.get(timeout=60)


def test_thread_ends_after_its_calls_and_another_takes_the_next(dispatcher: ModelDispatcher) -> None:
    first = {take(dispatcher) for _ in range(CALLS_OF_A_THREAD)}
    assert len(first) == 1
    assert take(dispatcher) not in first
    first.pop().join(60)


def test_thread_ends_after_a_large_call(dispatcher: ModelDispatcher) -> None:
    first = take(dispatcher, large=True)
    assert take(dispatcher) is not first
    first.join(60)
    assert not first.is_alive()


def test_thread_goes_on_when_no_other_can_be_started(
    dispatcher: ModelDispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = take(dispatcher)

    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    assert [take(dispatcher, large=True) for _ in range(3)] == [first] * 3


def test_call_that_waits_gets_a_thread_once_one_ends_that_ran_elsewhere(dispatcher: ModelDispatcher) -> None:
    assert dispatcher.begin("model", Allowance(1, 1))
    assert not dispatcher.begin("model", Allowance(1, 1))
    channel = Channel()
    dispatcher.add(Ticket(channel, "model", Allowance(1, 1)))
    with pytest.raises(queue.Empty):
        channel.taken_by.get(timeout=0.1)
    dispatcher.end("model")
    assert channel.taken_by.get(timeout=60).name == "call-0"


def test_names_of_models_do_not_pile_up(dispatcher: ModelDispatcher) -> None:
    for number in range(100):
        assert dispatcher.begin(f"model-{number}", Allowance(1, 1))
        dispatcher.end(f"model-{number}")
    assert not dispatcher._places._running
