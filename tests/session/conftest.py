"""What the tests of sessions share: stores of both kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from soapsvc.session import Limits, Store
from soapsvc.session.redis_store import RedisStore
from soapsvc.session.sqlite_store import SqliteStore

MakeStore = Callable[..., Store]  # limits -> another store of the same sessions


@pytest.fixture(params=["sqlite", "redis"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStore]:
    """Return a maker of stores: each is another process's view of the same sessions."""
    made: list[Store] = []
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        server.forget()

    def one_more(limits: Limits = Limits()) -> Store:  # noqa: B008  (frozen)
        if request.param == "redis":
            store: Store = RedisStore(server.url, limits)
        else:
            store = SqliteStore(tmp_path / "sessions.sqlite", limits)
        made.append(store)
        store.beat()
        return store

    yield one_more
    for store in made:
        store.close()
