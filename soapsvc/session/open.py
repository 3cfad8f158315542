"""Which store a server's sessions are kept in, by the setting `sessions`."""

from __future__ import annotations

from pathlib import Path

from soapsvc.session import Limits, Store
from soapsvc.session.sqlite_store import SqliteStore

REDIS = ("redis://", "rediss://")
_FILE = "sessions.sqlite"


def open_store(where: str | None, limits: Limits, shared: Path | None = None) -> Store:
    """Return the store. where: a Redis's URL, or a file; None: one that ends with the server.

    shared: a folder of all workers, where there are several. Raises Unavailable where a file can't be used, and
    ValueError where the package of Redis is missing or the URL is wrong.
    """
    if where is not None and where.startswith(REDIS):
        try:
            from soapsvc.session.redis_store import RedisStore
        except ImportError as err:
            raise ValueError("Redis needs a package that is not installed: pip install 'soapsvc[redis]'") from err
        try:
            return RedisStore(where, limits)
        except ValueError:  # its words may quote a password
            raise ValueError(
                "expected redis://[:PASSWORD@]HOST[:PORT][/DATABASE], or the same with rediss://"
            ) from None
    if where is not None:
        return SqliteStore(Path(where), limits)
    return SqliteStore(shared and shared / _FILE, limits)
