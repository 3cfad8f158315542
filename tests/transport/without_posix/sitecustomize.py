"""Lets the modules of soapsvc see of Python's library what there is on Windows; everybody else sees it all.

Python loads this at its start, if this folder is in PYTHONPATH.
"""

from __future__ import annotations

import builtins
import ctypes
import os
import signal
import socket
import sys
from types import ModuleType
from typing import Any

POSIX_ONLY = {"fcntl", "resource", "pwd", "grp", "termios", "pty", "syslog"}
HIDDEN = {
    "os": {
        "O_NONBLOCK", "O_NOFOLLOW", "chown", "fork", "getuid", "killpg", "mkfifo", "nice", "set_blocking", "setsid",
        "uname",
    },
    "signal": {"SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGUSR1", "alarm", "pthread_sigmask"},
    "socket": {"AF_UNIX", "SO_REUSEPORT", "TCP_USER_TIMEOUT", "send_fds"},
}  # fmt: skip


def _library(name: str | None) -> ctypes.CDLL:
    if name is None:
        raise TypeError("argument of type 'NoneType' is not iterable")  # what Windows says
    return ctypes.CDLL(name)


class Narrowed(ModuleType):
    """A module without some of its names, and with others in their place."""

    def __init__(self, module: ModuleType, **others: Any) -> None:
        super().__init__(module.__name__)
        self.__dict__.update({"_module": module, **others})

    def __getattr__(self, name: str) -> Any:
        if name in HIDDEN.get(self.__name__, ()):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(self._module, name)


NARROWED = {
    "os": Narrowed(os, name="nt"),
    "signal": Narrowed(signal),
    "socket": Narrowed(socket, SO_EXCLUSIVEADDRUSE=socket.SO_REUSEADDR),
    "sys": Narrowed(sys, platform="win32"),
    "ctypes": Narrowed(ctypes, CDLL=_library),
}
_everything = builtins.__import__


def _narrow(name: str, globals: Any = None, *rest: Any, **named: Any) -> Any:  # noqa: A002  # as __import__ has it
    asked_by = (globals or {}).get("__name__", "")
    if (globals or {}).get("__spec__") is not None:  # of `python -m`
        asked_by = globals["__spec__"].name
    if asked_by.split(".")[0] == "soapsvc":
        if name in POSIX_ONLY:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if name in NARROWED:
            return NARROWED[name]
    return _everything(name, globals, *rest, **named)


builtins.__import__ = _narrow
