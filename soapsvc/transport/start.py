"""What every start does before it loads a model: the log, the socket, the process id file."""

from __future__ import annotations

import socket
import sys

from soapsvc.settings import Settings
from soapsvc.transport.log_format import log_to_stderr
from soapsvc.transport.pid_file import PidFileError, hold_pid_file

if sys.platform == "win32":
    _REBIND = socket.SO_EXCLUSIVEADDRUSE  # SO_REUSEADDR would let two servers have one port there
else:
    _REBIND = socket.SO_REUSEADDR  # else a port can't be had for a minute after a stop


class StartError(Exception):
    """The server can't start; the message says why and what to do."""


def start_logging(settings: Settings, who: str = "") -> None:
    """Write the log to standard error. who: the process whose lines these are, where there are several."""
    log_to_stderr(settings.log_level, settings.log_format, who)


def bind(settings: Settings) -> socket.socket:
    """Return a socket that has its port, a free one for port 0, but does not listen yet. Raises StartError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, _REBIND, 1)
        listener.bind(address)
    except socket.gaierror as err:
        raise StartError(f"host: {settings.host} can't be resolved: expected an address of this machine") from err
    except OSError as err:
        raise StartError(
            f"can't listen on {settings.host} port {settings.port}: {err.strerror}; "
            "stop what listens there or choose another port with --port"
        ) from err
    return listener


def shares_listener(settings: Settings, bound: socket.socket) -> bool:
    """Return whether all processes of a server accept from one socket. bound: the one that has the port.

    Granian's workers take whole bursts of connections from it: where the system can spread them over several sockets
    on one port, each worker has one of its own. Not so where that socket listens already, as one that was handed to the
    server does: what waits on it has to be accepted from it.
    """
    if settings.server == "waitress" or settings.workers == 1 or sys.platform != "linux":
        return True
    return bool(bound.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def listener_of_worker(settings: Settings, bound: socket.socket) -> socket.socket:
    """Return the socket that a worker accepts from, given the one that has the port. One of its own listens already."""
    if shares_listener(settings, bound):
        return bound
    own = socket.socket(bound.family, bound.type, bound.proto)
    for each in (bound, own):  # set late on the first, so that another server can't share the port by chance
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    own.bind(bound.getsockname())
    own.listen()
    return own


def tell_pid(settings: Settings) -> None:
    """Write the process id to the file that the settings name, if they do. Raises StartError."""
    try:
        if settings.pid_file is not None:
            hold_pid_file(settings.pid_file)
    except PidFileError as err:
        raise StartError(str(err)) from err
