"""Threads of calls give way to new ones once they are worn: what lxml keeps for a thread must not pile up."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import pytest

from soapsvc.soap.parsed import WORN_BYTES, note_parsed
from soapsvc.transport.dispatcher import ModelDispatcher, Ticket
from soapsvc.transport.places import Allowance, Places


class Channel:
    """Tells which thread took its call. parsed: bytes of XML."""

    def __init__(self, parsed: int = 0) -> None:
        self._parsed = parsed
        self.taken_by: queue.SimpleQueue[threading.Thread] = queue.SimpleQueue()

    def service(self) -> None:
        note_parsed(self._parsed)
        self.taken_by.put(threading.current_thread())


@pytest.fixture
def dispatcher() -> Iterator[ModelDispatcher]:
    """A dispatcher of one thread."""
    made = ModelDispatcher(1, lambda channel, error: None)
    yield made
    made.shutdown()


def take(dispatcher: ModelDispatcher, parsed: int = 0) -> threading.Thread:
    channel = Channel(parsed)
    dispatcher.add(Ticket(channel, "model", Allowance(1, 1)))
    return channel.taken_by.get(timeout=60)


def test_thread_goes_on_where_nothing_is_parsed(dispatcher: ModelDispatcher) -> None:
    assert len({take(dispatcher) for _ in range(1000)}) == 1


def test_thread_that_is_worn_ends_and_another_takes_the_next(dispatcher: ModelDispatcher) -> None:
    first = take(dispatcher, WORN_BYTES // 2)
    assert take(dispatcher, WORN_BYTES // 2) is first
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
    assert [take(dispatcher, WORN_BYTES) for _ in range(3)] == [first] * 3


def test_call_that_waits_gets_a_thread_once_one_ends_that_ran_elsewhere(dispatcher: ModelDispatcher) -> None:
    assert dispatcher.begin("model", Allowance(1, 1))
    assert not dispatcher.begin("model", Allowance(1, 1))
    channel = Channel()
    dispatcher.add(Ticket(channel, "model", Allowance(1, 1)))
    with pytest.raises(queue.Empty):
        channel.taken_by.get(timeout=0.1)
    dispatcher.end("model")
    assert channel.taken_by.get(timeout=60).name == "call-0"


def test_large_calls_of_a_model_are_as_many_as_cores_at_once() -> None:
    places: Places[Ticket] = Places(most_large=2)
    allowance = Allowance(6, 100)
    calls = [Ticket(None, model, allowance, large=large) for model, large in [("a", True)] * 4 + [("b", True)]]
    for call in calls:
        places.add(call)
    assert [places.next() for _ in range(4)] == [calls[0], calls[4], calls[1], None]
    places.leave("b", large=True)
    assert places.next() is None
    places.leave("a", large=True)
    assert places.next() is calls[2]
    assert places.next() is None
    for _ in range(2):
        places.leave("a", large=True)
    assert places.next() is calls[3]
    places.leave("a", large=True)
    assert not places.busy


def test_small_calls_are_not_counted_among_large_ones() -> None:
    places: Places[Ticket] = Places(most_large=1)
    calls = [Ticket(None, "a", Allowance(6, 100), large=large) for large in (True, False, False)]
    for call in calls:
        places.add(call)
    assert [places.next() for _ in range(3)] == calls


def test_small_calls_do_not_wait_behind_large_ones() -> None:
    places: Places[Ticket] = Places(most_large=1)
    calls = [Ticket(None, "a", Allowance(3, 100), large=large) for large in (True, True, False, False, False)]
    for call in calls:
        places.add(call)
    assert [places.next() for _ in range(4)] == [calls[0], calls[2], calls[3], None]
    places.leave("a", large=True)
    assert places.next() is calls[1]
    places.leave("a")
    assert places.next() is calls[4]


def test_names_of_models_do_not_pile_up(dispatcher: ModelDispatcher) -> None:
    for number in range(100):
        assert dispatcher.begin(f"model-{number}", Allowance(1, 1))
        dispatcher.end(f"model-{number}")
    assert not dispatcher._places._running
