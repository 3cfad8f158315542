"""The file that holds a running server's process id. It is locked as long as the server runs, whatever ends it."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType


class PidFileError(Exception):
    """A pid file can't be used; the message says why."""


def hold_pid_file(path: Path) -> int:
    """Write this process's id to a file and keep it locked; return the descriptor, to be left open.

    Raises PidFileError when another server holds it, or it can't be written.
    """
    fcntl = _locking()
    try:
        held = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(held, 0)
        os.write(held, f"{os.getpid()}\n".encode())
    except BlockingIOError as err:
        raise PidFileError(f"pid_file: {path} belongs to a server that runs; give each server its own") from err
    except OSError as err:
        raise PidFileError(f"pid_file: {path} can't be written: {err.strerror}") from err
    return held


def running_pid(path: Path) -> int:
    """Return the id of the server that holds a pid file. Raises PidFileError when none does."""
    fcntl = _locking()
    try:
        with path.open() as file:
            pid = int(file.read())
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return pid
    except (OSError, ValueError) as err:
        raise PidFileError(f"{path}: expected a pid file that a server wrote: {err}") from err
    raise PidFileError(f"{path}: no server runs that holds it")


def _locking() -> ModuleType:
    """Return the module that locks. Raises PidFileError on Windows, which has none, and no signal to reload by."""
    try:
        import fcntl
    except ImportError as err:
        raise PidFileError(
            "pid_file: it is for `reload`, which Windows has no signal for; the server looks every watch_interval_s"
        ) from err
    return fcntl
