"""Both stores: what they keep, whose turn it is, what gives way, and what a dead process leaves behind."""

from __future__ import annotations

import os
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from soapsvc.errors import Overloaded, Unavailable
from soapsvc.session import MOST_CALLS, Kept, Limits
from soapsvc.session import redis_store as in_redis
from soapsvc.session import sqlite_store as in_sqlite
from soapsvc.session.sqlite_store import SqliteStore
from tests.conftest import until
from tests.redis_server import RedisServer
from tests.session.conftest import MakeStore

A, B, C, D = b"a" * 32, b"b" * 32, b"c" * 32, b"d" * 32


def test_session_is_kept_for_all_processes(make: MakeStore) -> None:
    one, other = make(), make()
    assert one.enter(A) is None
    one.create(A, b"first")
    call = other.enter(A)
    assert call is not None
    assert other.is_first(A, call)
    assert other.content(A) == b"first"
    assert other.finish(A, call, b"\x00second")
    assert (one.content(A), one.kept()) == (b"\x00second", Kept(1, 7))


def test_processes_that_open_a_new_file_at_once_all_get_it(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def opened(path: Path) -> SqliteStore:
        together.wait(60)
        return SqliteStore(path)

    with ThreadPoolExecutor(8) as threads:
        for number in range(20):
            stores = list(threads.map(opened, [tmp_path / str(number)] * 8))
            stores[0].create(A, b"first")
            assert [store.content(A) for store in stores] == [b"first"] * 8


def test_calls_on_one_session_queue_in_order_across_processes(make: MakeStore) -> None:
    one, other = make(), make()
    one.create(A, b"")
    one.create(B, b"")
    calls = [(store, store.enter(A) or "") for store in (one, other, one, other)]
    elsewhere = other.enter(B) or ""
    for place, (store, call) in enumerate(calls):
        assert [each.is_first(A, waiting) for each, waiting in calls[place:]] == [True, *[False] * (3 - place)]
        assert other.is_first(B, elsewhere)
        if place % 2:
            store.leave(A, call)
        else:
            assert store.finish(A, call, str(place).encode())
    assert one.content(A) == b"2"


def test_too_many_calls_on_one_session_are_refused(make: MakeStore) -> None:
    store = make()
    store.create(A, b"")
    assert all(store.enter(A) for _ in range(MOST_CALLS))
    with pytest.raises(Overloaded):
        store.enter(A)


def test_call_of_a_dead_process_is_passed_over_and_keeps_nothing(
    make: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = make()
    alive.create(A, b"before")
    with monkeypatch.context() as patch:
        patch.setattr(in_sqlite, "LEASE_S", 0.001)
        patch.setattr(in_redis, "LEASE_S", 0.001)
        hung = make()
        first = hung.enter(A) or ""
    second = alive.enter(A) or ""
    until(lambda: alive.is_first(A, second))
    assert not hung.finish(A, first, b"too late")
    with pytest.raises(Unavailable):
        hung.is_first(A, first)
    assert alive.finish(A, second, b"after")
    assert alive.content(A) == b"after"


def test_expired_session_is_gone_unless_a_call_is_on_it(make: MakeStore) -> None:
    store, later = make(), make(Limits(time_to_live_s=1e-6))
    store.create(A, b"")
    store.create(B, b"")
    call = store.enter(B)
    assert call is not None
    assert later.enter(A) is None
    later.beat()
    assert store.kept().sessions == 1
    assert store.finish(B, call, b"")
    later.beat()
    assert store.kept().sessions == 0
    assert (later.expired, later.evicted, store.expired) == (2, 0, 0)


def test_longest_idle_session_gives_way_to_a_new_one(make: MakeStore) -> None:
    store = make(Limits(max_sessions=3))
    for key in (A, B, C):
        store.create(key, b"")
    assert store.finish(A, store.enter(A) or "", b"")
    busy = store.enter(B) or ""
    store.create(D, b"")
    assert [store.content(key) is not None for key in (A, B, C, D)] == [True, True, False, True]
    store.leave(B, busy)
    store.create(C, b"")
    assert [store.content(key) is not None for key in (A, B, C, D)] == [True, False, True, True]


def test_bytes_of_all_sessions_are_limited(make: MakeStore) -> None:
    store = make(Limits(max_bytes=100))
    store.create(A, b"x" * 40)
    store.create(B, b"x" * 40)
    store.create(C, b"x" * 40)
    assert [store.content(key) is not None for key in (A, B, C)] == [False, True, True]
    call = store.enter(C) or ""
    assert store.finish(C, call, b"x" * 90)
    assert (store.content(B), store.kept(), store.evicted) == (None, Kept(1, 90), 2)


def test_full_store_refuses_and_keeps_what_it_has(make: MakeStore) -> None:
    store = make(Limits(max_sessions=2, max_bytes=100))
    store.create(A, b"a")
    store.create(B, b"b")
    calls = {key: store.enter(key) or "" for key in (A, B)}
    with pytest.raises(Overloaded):
        store.create(C, b"c")
    with pytest.raises(Overloaded):
        store.finish(A, calls[A], b"x" * 101)
    assert (store.content(A), store.content(B), store.content(C)) == (b"a", b"b", None)
    assert store.finish(A, calls[A], b"fits")
    store.create(C, b"c")
    assert store.content(A) is None  # idle again


def test_many_threads_lose_no_turn(make: MakeStore) -> None:
    stores = [make(), make()]
    stores[0].create(A, b"")

    def add(number: int) -> None:
        store = stores[number % 2]
        for turn in range(5):
            call = store.enter(A) or ""
            while not store.is_first(A, call):
                time.sleep(0.001)
            assert store.finish(A, call, (store.content(A) or b"") + f"{number}.{turn} ".encode())

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    turns = (stores[0].content(A) or b"").decode().split()
    assert sorted(turns) == sorted(f"{number}.{turn}" for number in range(8) for turn in range(5))
    for number in range(8):
        assert [turn for turn in turns if turn.startswith(f"{number}.")] == [f"{number}.{turn}" for turn in range(5)]


def test_file_is_its_owners_alone_and_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    store = SqliteStore(path)
    store.create(A, b"kept")
    files = [each for each in tmp_path.iterdir() if each.name.startswith("sessions.sqlite")]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    store.close()
    again = SqliteStore(path)
    assert again.content(A) == b"kept"
    again.close()


def test_file_and_journal_are_bounded_by_what_is_kept_at_once(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    store = SqliteStore(path, Limits(max_sessions=50))
    for number in range(2000):
        store.create(number.to_bytes(32, "big"), os.urandom(1000))
    assert store.kept().sessions == 50
    assert path.stat().st_size < 50 * 1300 + 100_000
    store.close()


def test_file_that_can_not_be_used_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database, but a text that is long enough " * 10)
    with pytest.raises(Unavailable, match="not a database"):
        SqliteStore(tmp_path / "text")
    with pytest.raises(Unavailable, match="No such file"):
        SqliteStore(tmp_path / "none" / "sessions.sqlite")


def test_redis_that_is_away_is_unavailable_until_it_is_back(redis_server: RedisServer) -> None:
    redis_server.forget()
    store = in_redis.RedisStore(redis_server.url, Limits())
    store.create(A, b"kept")
    redis_server.stop()
    try:
        for attempt in (lambda: store.enter(A), lambda: store.content(A), lambda: store.create(B, b""), store.beat):
            with pytest.raises(Unavailable):
                attempt()
    finally:
        redis_server.start()
    call = store.enter(A)
    assert call is not None
    assert store.is_first(A, call)
    assert store.content(A) == b"kept"
    store.close()
