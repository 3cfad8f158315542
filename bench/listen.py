"""Runs a rival's WSGI application on waitress, with as many threads as our server has by default."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from waitress.server import create_server

THREADS = 8
READY = "ready: http://127.0.0.1:"


def serve(app: Callable[..., Iterable[bytes]], **options: Any) -> None:
    """Listen on a free loopback port, say which, and serve until the process is stopped. options: waitress's."""
    server: Any = create_server(app, host="127.0.0.1", port=0, threads=THREADS, **options)
    print(f"{READY}{server.effective_port}/", flush=True)
    server.run()
