"""Sessions on top of a store: ids, whose they are, turns in order, and models that change in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soapsvc.engine.deadline import Deadline
from soapsvc.errors import DeadlineExceeded
from soapsvc.model.conversation import Conversation, Memory, State
from soapsvc.model.signature import TensorSpec
from soapsvc.session import Limits
from soapsvc.session.record import decode, encode
from soapsvc.session.sessions import Sessions, SessionState
from soapsvc.session.sqlite_store import SqliteStore
from tests.conftest import until

SPEC = TensorSpec("count", "count:0", "int64", (2,))
COUNTS = Conversation((State(SPEC, "next", np.zeros(2, np.int64)),), batched=False)


def counted(number: int) -> Memory:
    return Memory({"count": np.array([number, -number], np.int64)})


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    made = Sessions(SqliteStore(tmp_path / "sessions.sqlite"))
    yield made
    made.close()


def take(
    sessions: Sessions, given: str | None, keep: int | None = None, *, model: str = "m", credentials: str = "",
    conversation: Conversation = COUNTS, fail: bool = False,
) -> tuple[str, SessionState, Any]:  # fmt: skip
    """Take a turn and return its id, state and what the session held before."""
    with sessions.turn(model, given, credentials, conversation, None) as turn:
        if keep is not None:
            turn.finish(counted(keep))
        if fail:
            raise ZeroDivisionError
        return turn.session_id, turn.state, turn.memory.state["count"].tolist()


def test_session_starts_and_goes_on_with_what_was_kept(sessions: Sessions) -> None:
    made, state, held = take(sessions, None, 1)
    assert (state, held) == (SessionState.STARTED, [0, 0])
    assert take(sessions, made, 2) == (made, SessionState.CONTINUED, [1, -1])
    assert take(sessions, made, 3) == (made, SessionState.CONTINUED, [2, -2])
    assert take(sessions, "", 1)[1] == SessionState.STARTED


def test_ids_are_long_and_never_the_same(sessions: Sessions) -> None:
    made = {take(sessions, None, 1)[0] for _ in range(50)}
    assert len(made) == 50
    assert {len(each) for each in made} == {32}


@pytest.mark.parametrize(
    "given", ["unknown", "0", "x" * 65, "x" * 1_000_000, "Ā", "a\0b"], ids=["unknown", "0", "65", "long", "wide", "nul"]
)
def test_id_that_was_never_made_starts_a_new_session(sessions: Sessions, given: str) -> None:
    made, state, _ = take(sessions, given, 1)
    assert (made != given, state) == (True, SessionState.EXPIRED)


@pytest.mark.parametrize(("owner", "thief"), [("Basic a", "Basic b"), ("Basic a", ""), ("", "Basic a")])
def test_session_of_other_credentials_is_as_one_that_never_was(sessions: Sessions, owner: str, thief: str) -> None:
    made, _, _ = take(sessions, None, 7, credentials=owner)
    stolen, state, held = take(sessions, made, 8, credentials=thief)
    assert (stolen != made, state, held) == (True, SessionState.EXPIRED, [0, 0])
    assert take(sessions, made, credentials=owner)[1:] == (SessionState.CONTINUED, [7, -7])


def test_session_of_one_model_is_none_of_another(sessions: Sessions) -> None:
    made, _, _ = take(sessions, None, 7)
    assert take(sessions, made, model="other")[1] == SessionState.EXPIRED


def test_store_tells_neither_ids_nor_credentials(sessions: Sessions, tmp_path: Path) -> None:
    made, _, _ = take(sessions, None, 7, credentials="Basic c2VjcmV0")
    content = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert encode(counted(7)) in content
    assert made.encode() not in content
    assert b"c2VjcmV0" not in content


def test_turn_that_fails_changes_nothing_and_lets_the_next_one_in(sessions: Sessions) -> None:
    made, _, _ = take(sessions, None, 1)
    with pytest.raises(ZeroDivisionError):
        take(sessions, made, 2, fail=True)
    assert take(sessions, made)[2] == [1, -1]


def test_calls_on_one_session_run_in_their_order_and_others_beside_them(sessions: Sessions) -> None:
    made, _, _ = take(sessions, None, 1)
    other, _, _ = take(sessions, None, 1)
    order: list[int] = []

    def call(number: int) -> None:
        with sessions.turn("m", made, "", COUNTS, None) as turn:
            order.append(number)
            turn.finish(turn.memory)

    with ThreadPoolExecutor(4) as pool:
        with sessions.turn("m", made, "", COUNTS, None):
            calls = []
            for number in range(4):
                before = waiting(sessions)
                calls.append(pool.submit(call, number))
                until(lambda: waiting(sessions) > before)  # noqa: B023  (called at once)
            assert take(sessions, other)[1] == SessionState.CONTINUED
            assert order == []
        for each in calls:
            each.result(60)
    assert order == [0, 1, 2, 3]


def waiting(sessions: Sessions) -> int:
    store: Any = sessions._store
    with store._reading() as do:
        return int(do.execute("SELECT count(*) FROM calls").fetchone()[0])


def test_call_that_waits_past_its_deadline_gives_up_its_place(sessions: Sessions) -> None:
    made, _, _ = take(sessions, None, 1)
    late = Deadline(0.01, time.monotonic() + 0.01)
    with sessions.turn("m", made, "", COUNTS, None):
        with pytest.raises(DeadlineExceeded), sessions.turn("m", made, "", COUNTS, late):
            pass
        assert waiting(sessions) == 1
    assert waiting(sessions) == 0


@pytest.mark.parametrize(
    "spec",
    [replace(SPEC, shape=(3,)), replace(SPEC, shape=(1, 2)), replace(SPEC, dtype="int32"), replace(SPEC, name="other")],
    ids=["shape", "rank", "dtype", "name"],
)
def test_session_is_reset_when_the_model_can_not_take_what_it_holds(sessions: Sessions, spec: TensorSpec) -> None:
    made, _, _ = take(sessions, None, 7)
    changed = Conversation((State(spec, "next", np.zeros(1)),), batched=False)
    with sessions.turn("m", made, "", changed, None) as turn:
        assert (turn.session_id, turn.state) == (made, SessionState.RESET)
        assert turn.memory.state.keys() == {spec.name}
        turn.finish(counted(9))
    assert take(sessions, made)[1:] == (SessionState.CONTINUED, [9, -9])


def test_session_goes_on_where_a_size_may_vary(sessions: Sessions) -> None:
    made, _, _ = take(sessions, None, 7)
    varying = Conversation((State(replace(SPEC, shape=(None,)), "next", np.zeros(1)),), batched=False)
    assert take(sessions, made, conversation=varying)[1] == SessionState.CONTINUED


def test_what_has_expired_is_forgotten_though_nobody_calls(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "kept.sqlite", Limits(time_to_live_s=1e-6))
    store.create(b"key", b"old")
    sessions = Sessions(store)
    sessions.start()
    until(lambda: store.kept().sessions == 0)
    sessions.close()


def test_only_one_thread_keeps_a_store_alive(sessions: Sessions) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: take(sessions, None, 1), range(50)))
    assert [each.name for each in threading.enumerate()].count("sessions") == 1


ARRAYS = {
    "float32": np.array([[1.5, np.nan], [-np.inf, 0]], np.float32),
    "float64": np.array(0.1),
    "int64": np.array([2**62, -1]),
    "uint8": np.zeros((2, 0, 3), np.uint8),
    "bool": np.array([True, False]),
    "string": np.array([[b"", b"\xff\x00"], ["ü".encode(), b"{time}"]], dtype=object),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_memory_comes_back_as_it_was_kept(name: str) -> None:
    kept = Memory({name: ARRAYS[name]}, (("question \x00", "ü"),))
    read = decode(encode(kept))
    assert read is not None
    assert (read.state[name].dtype, read.state[name].shape) == (ARRAYS[name].dtype, ARRAYS[name].shape)
    np.testing.assert_array_equal(read.state[name], ARRAYS[name])
    assert read.turns == kept.turns


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"state": {"x": {"dtype": "int64", "shape": [3], "items": "AAAA"}}, "turns": []}']
)
def test_content_of_another_form_is_no_memory(content: bytes) -> None:
    assert decode(content) is None
