"""Runs a rival's WSGI application on waitress, with as many threads as our server has by default, or on Granian."""

from __future__ import annotations

import multiprocessing
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from waitress.server import create_server

THREADS = 8
READY = "ready: http://127.0.0.1:"
_LOADED = "BENCH_LOADED"  # the variable that names a folder with a file for each of Granian's workers that is ready


def serve(app: Callable[..., Iterable[bytes]], **options: Any) -> None:
    """Listen on a free loopback port, say which, and serve until the process is stopped. options: waitress's."""
    server: Any = create_server(app, host="127.0.0.1", port=0, threads=THREADS, **options)
    print(f"{READY}{server.effective_port}/", flush=True)
    server.run()


def serve_on_granian(factory: str, workers: int) -> None:
    """Do the same with Granian. factory: `module:function` that returns the application and then calls `loaded`."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces

    multiprocessing.set_start_method("spawn")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ[_LOADED] = folder
        threading.Thread(target=_tell, args=(Path(folder), workers, port), daemon=True).start()
        Granian(
            factory, port=port, interface=Interfaces.WSGI, workers=workers, blocking_threads=THREADS,
            http=HTTPModes.http1, factory=True,
        ).serve()  # fmt: skip


def loaded() -> None:
    """Tell that a worker of Granian's is ready, if this is one."""
    if _LOADED in os.environ:
        Path(os.environ[_LOADED], str(os.getpid())).touch()


def _tell(folder: Path, workers: int, port: int) -> None:
    while len(list(folder.iterdir())) < workers:
        time.sleep(0.1)
    time.sleep(1)  # until the last one listens
    print(f"{READY}{port}/", flush=True)
