"""What a service manager as systemd hands to a server, and what it wants to hear of it.

A listening socket by sd_listen_fds(3), notices by sd_notify(3). Both are taken out of the environment: they are not for
the processes that this one starts.
"""

from __future__ import annotations

import logging
import os
import socket

from soapsvc.transport.start import StartError

log = logging.getLogger(__name__)
_FIRST_DESCRIPTOR = 3  # SD_LISTEN_FDS_START
READY, STOPPING = "READY=1", "STOPPING=1"


def handed_socket() -> socket.socket | None:
    """Return the socket that listens for this process already, None when none was handed to it. Raises StartError."""
    pid, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()):
        return None
    if count != "1":
        raise StartError(f"LISTEN_FDS: expected 1 socket, received {count}; give the socket unit one ListenStream")
    try:
        handed = socket.socket(fileno=_FIRST_DESCRIPTOR)
        listens = handed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as err:
        raise StartError(f"LISTEN_FDS: descriptor {_FIRST_DESCRIPTOR} is no socket: {err.strerror}") from err
    if handed.family not in (socket.AF_INET, socket.AF_INET6) or handed.type != socket.SOCK_STREAM or not listens:
        raise StartError(
            "LISTEN_FDS: expected a TCP socket that listens; give the socket unit a ListenStream of a port"
        )
    handed.set_inheritable(False)
    return handed


class ServiceManager:
    """Who started this process and wants to know how it goes; nobody, where `NOTIFY_SOCKET` is not set."""

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")

    def tell(self, state: str) -> None:
        """Tell a state, as READY. Safe to call from a signal handler."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
                notices.sendto(state.encode(), address)
        except OSError as err:
            log.warning("the service manager at %s can't be told %s: %s", self._address, state, err.strerror)
