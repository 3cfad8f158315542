"""Which calls the leader runs itself, and how it runs one: what both servers share between reading and answering."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from soapsvc.engine.deadline import earliest
from soapsvc.transport.application import WebApplication
from soapsvc.transport.dispatcher import ModelDispatcher, Ticket
from soapsvc.transport.leader import Leadership, Pace, StopWatch
from soapsvc.transport.places import allowance_of
from soapsvc.transport.soap_handler import deadline_given

log = logging.getLogger(__name__)
_LARGE = 65536  # bytes of XML beyond which a call is none for the leader


class QuickCalls:
    """Tells quick calls from others. Safe to use from many threads, but for `run`."""

    def __init__(self, web: WebApplication, threads: int, dispatcher: ModelDispatcher, leadership: Leadership) -> None:
        """threads: of the dispatcher."""
        self._web, self._threads, self._dispatcher, self._leadership = web, threads, dispatcher, leadership
        self._pace = Pace()

    def ticket(
        self, channel: Any, model: str, size: int, began: float, deadline: str, attached: bool, compressed: bool
    ) -> Ticket:
        """Return what a request is queued as that was read whole.

        channel: answers it in `service`.  size: bytes of its body.  began: when it began to arrive, by
        time.monotonic().  deadline: its X-Deadline-Ms.  attached: whether its body is an envelope with attachments.
        """
        limits = self._web.soap.limits_of(model)
        at = earliest(began, deadline_given(deadline), limits.deadline_s)
        large = (size > _LARGE and not attached) or compressed
        return Ticket(channel, model, allowance_of(limits, self._threads), at, large, size)

    def is_quick(self, ticket: Ticket) -> bool:
        """Return whether the leader shall run a call; not one that waits, or that nobody may wait for."""
        if not ticket.model or ticket.large or ticket.deadline is not None:
            return False
        return not self._web.soap.calls_wait(ticket.model) and self._pace.is_quick(ticket.kind)

    def run(self, ticket: Ticket) -> bool:
        """Run a call on the leader's thread, or give it to another if its model has enough under way.

        Return whether the thread still leads.
        """
        if not self._dispatcher.begin(ticket.model, ticket.allowance):
            self._dispatcher.add(ticket)
            return True
        return self._leadership.call(partial(self._serve, ticket))

    def _serve(self, ticket: Ticket) -> None:
        watch = StopWatch() if self._pace.wants(ticket.kind) else None
        try:
            ticket.channel.service()
        except BaseException:
            log.exception("a call of %s failed outside of its service", ticket.model)
        finally:
            self._dispatcher.end(ticket.model)
        if watch is not None:
            self._pace.took(ticket.kind, watch.seconds)
