"""waitress, the default server: answers in SOAP what it refuses itself, sheds load, times out slow peers, drains.

One thread at a time reads and writes all connections (`run`), and runs quick calls itself (`leader`); other calls have
threads of their own (`dispatcher`).
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from copy import copy
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from soapsvc.errors import ServingError
from soapsvc.soap.mtom import MULTIPART
from soapsvc.transport.application import WebApplication
from soapsvc.transport.dispatcher import ModelDispatcher, Ticket
from soapsvc.transport.event_loop import EventLoop
from soapsvc.transport.leader import Leadership
from soapsvc.transport.places import Allowance
from soapsvc.transport.quick_calls import QuickCalls
from soapsvc.transport.server import Patience
from soapsvc.transport.soap_handler import Exchange
from soapsvc.transport.spread import Share
from soapsvc.transport.waitress_channel import SLACK, CallTask, Channel, FaultTask
from soapsvc.transport.waitress_parser import SoapParser

log = logging.getLogger(__name__)
_RECEIVE = 65536  # bytes at most of one read from a connection
_NO_WATERMARK = 2**40  # bytes: a thread never waits for a client to take its answer
_TICK_S = 0.2  # how often deadlines are looked at
_GREET_S = 1.0  # how long a stop waits for the first request of a connection
_HESITATE_S = 0.002  # how long a connection is left to another worker
_HESITATED_S = 0.05  # how long after that it is accepted all the same


class SoapServer(TcpWSGIServer):
    """waitress's server on a bound socket; `run` serves until `stop`, then drains."""

    _greet_until = 0.0  # until when connections that were just accepted may still bring a request, at stop
    _accept_at = 0.0  # when to look at the listener again
    _hesitated_until = 0.0  # until when to accept without leaving it to another worker again

    def __init__(
        self, web: WebApplication, listener: socket.socket, adj: Adjustments, exchange: Exchange, patience: Patience,
        share: Share | None,
    ) -> None:  # fmt: skip
        self._web, self._patience, self._share = web, patience, share
        self._stopping = threading.Event()
        adjustments = {attached: copy(adj) for attached in (False, True)}
        for attached, media_type in ((False, ""), (True, MULTIPART)):
            adjustments[attached].max_request_body_size = exchange.max_bytes(media_type) + SLACK
        parser = {"adjustments": adjustments, "is_full": staticmethod(self._is_full)}
        bound: dict[str, Any] = {
            "task_class": CallTask,
            "error_task_class": type("_BoundFaultTask", (FaultTask,), {"web": web}),
            "parser_class": type("_BoundParser", (SoapParser,), parser),
        }
        self.channel_class = type("_BoundChannel", (Channel,), bound)
        self._calls = ModelDispatcher(patience.threads, _refuse)
        web.waiting = lambda: self._calls.waiting
        info = (listener.family, listener.type, listener.proto, listener.getsockname())
        self._loop = EventLoop()
        self._leadership = Leadership(self._turn, self._stopping.is_set)
        self._quick_calls = QuickCalls(web, patience.threads, self._calls, self._leadership)
        self._quick: deque[Ticket] = deque()  # calls that the leader is to run
        super().__init__(
            web, self._loop, True, listener, dispatcher=self._calls, adj=adj, sockinfo=info, bind_socket=False
        )

    def add_task(self, channel: Any) -> None:
        """Queue the request that a channel has read whole, for the leader if it is quick."""
        request = channel.requests[0]
        request.queued = time.monotonic()
        if request.error:
            self._calls.add(Ticket(channel, "", Allowance(0, 0)))
            return
        headers = request.headers
        ticket = self._quick_calls.ticket(
            channel, self._web.model_called(request.command, request.path), request.body_bytes_received, request.began,
            headers.get("X_DEADLINE_MS", ""), request.attached, "CONTENT_ENCODING" in headers,
        )  # fmt: skip
        if self._leadership.leads and self._quick_calls.is_quick(ticket):
            self._quick.append(ticket)
        else:
            self._calls.add(ticket)

    def pull_trigger(self) -> None:
        """Do nothing: waitress wakes its loop after each call, `served` only if it has to."""

    def served(self, channel: Channel) -> None:
        """Let the loop go on with a channel after a call."""
        fd = channel._fileno
        if fd is not None and self._loop.lacks(fd):
            self._loop.touch(fd)
            if not self._leadership.leads:
                super().pull_trigger()

    def readable(self) -> bool:
        """Return whether to accept; see waitress."""
        return time.monotonic() >= self._accept_at and bool(super().readable())

    def handle_accept(self) -> None:
        """Accept one connection, or leave it for a moment to another worker that has fewer; see waitress."""
        now = time.monotonic()
        if self._share is not None and now >= self._hesitated_until and self._share.another_has_fewer():
            self._accept_at, self._hesitated_until = now + _HESITATE_S, now + _HESITATED_S
            return
        self._hesitated_until = 0.0
        super().handle_accept()

    def stop(self) -> None:
        """Make `run` drain and return. Safe to call from a signal handler and from any thread."""
        self._stopping.set()
        super().pull_trigger()

    def run(self) -> None:
        """Serve until `stop`; then let calls under way end and their answers be taken, and return."""
        self._leadership.run()
        self._web.draining = True
        log.info("stopping: not ready any more")
        self._turn_until(time.monotonic() + self._patience.drain_delay_s, lambda: False)
        self.accepting = False
        self.del_channel()
        self.socket.close()
        self._greet_until = time.monotonic() + _GREET_S
        in_time = self._turn_until(time.monotonic() + self._patience.drain_timeout_s, self._drained)
        log.info("stopped%s", "" if in_time else f": calls took longer than {self._patience.drain_timeout_s:g} s")
        self._calls.shutdown()
        wasyncore.close_all(self._map)

    def _turn(self) -> None:
        if not self._run_quick():
            return
        self._loop.touch(self._fileno)  # whether it accepts depends on how many connections are open
        wait_s = _HESITATE_S if time.monotonic() < self._accept_at else _TICK_S
        if not self._loop.turn(wait_s, self._run_quick):
            return
        if self._share is not None:
            self._share.count(len(self.active_channels))
        now = time.monotonic()
        if now >= self._next_expiry:
            self._next_expiry = now + _TICK_S
            self._calls.expire()
        if now >= self._next_look:
            self._next_look = now + 1
            for channel in list(self.active_channels.values()):
                channel.give_up(self._patience, now)
                self._loop.touch(channel._fileno)

    _next_expiry = _next_look = 0.0

    def _run_quick(self) -> bool:
        """Run the quick calls that were read; return whether this thread still is who turns the loop."""
        while self._quick:
            if not self._quick_calls.run(self._quick.popleft()):
                return False
        return True

    def _turn_until(self, end: float, done: Callable[[], bool]) -> bool:
        """Go on with connections until done, or the moment is there; return whether done came first."""
        while not done():
            if time.monotonic() >= end:
                return False
            self._turn()
        return True

    def _drained(self) -> bool:
        for channel in list(self.active_channels.values()):
            if channel.idle and not (channel.untouched and time.monotonic() < self._greet_until):
                channel.handle_close()
        return not self.active_channels and not self._calls.busy

    def _is_full(self, wanted: int) -> bool:
        patience = self._patience
        if self._calls.waiting >= patience.max_waiting_requests:
            return True
        if wanted <= _RECEIVE:
            return False
        held: int = sum(channel.held_bytes for channel in list(self.active_channels.values()))
        return held + wanted > patience.max_buffered_bytes


def _refuse(channel: Any, error: ServingError) -> None:
    channel.requests[0].error = error


def make_server(
    web: WebApplication, listener: socket.socket, exchange: Exchange, patience: Patience, share: Share | None = None
) -> SoapServer:
    """Return a server that listens on a bound socket and is ready to `run()`. share: where other workers listen too."""
    largest = max(exchange.max_request_bytes, exchange.max_mtom_bytes) + SLACK
    adj = Adjustments(
        threads=patience.threads, ident=None, clear_untrusted_proxy_headers=False, sockets=[listener],
        max_request_body_size=largest, inbuf_overflow=largest, recv_bytes=_RECEIVE,
        connection_limit=patience.max_connections, outbuf_high_watermark=_NO_WATERMARK,
    )  # fmt: skip
    return SoapServer(web, listener, adj, exchange, patience, share)
