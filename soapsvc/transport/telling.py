"""What is told of calls once they are answered: a line in the log, the counts, the spans. On a thread of its own.

To tell costs a call no more than a note of itself: logging takes a call several times what it takes the lines of many,
made one after the other.
"""

from __future__ import annotations

import logging
from collections import deque

from soapsvc.answered import Answered
from soapsvc.later import Later
from soapsvc.metrics.calls import count
from soapsvc.tracing import Tracing
from soapsvc.transport.log_format import CallRecord

log = logging.getLogger("soapsvc.calls")
_DELAY_S = 0.2  # how long a call may wait to be told, with all that come meanwhile


class Telling:
    """Takes calls in. Safe to use from many threads."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing
        self._calls: Later[Answered] = Later("calls", _DELAY_S, self._tell)

    def add(self, call: Answered) -> None:
        """Tell of a call, a moment later."""
        self._calls.add(call)

    def add_refused(self, call: Answered) -> None:
        """Log what was refused before it was a call, and is counted as such."""
        if log.isEnabledFor(logging.INFO):
            log.handle(CallRecord(log.name, _text(call), call.at))
        self._tracing.add(call)

    def flush(self) -> None:
        """Tell what waits to be told."""
        self._calls.flush()

    def close(self) -> None:
        """Tell what waits, and send what is to be sent."""
        self.flush()
        self._tracing.close()

    def _tell(self, calls: deque[Answered]) -> None:
        logged = log.isEnabledFor(logging.INFO)
        told = [calls.popleft() for _ in range(len(calls))]
        count(told)
        for call in told:
            if logged:
                log.handle(CallRecord(log.name, _text(call), call.at))
            self._tracing.add(call)


def _text(call: Answered) -> str:
    """Return a call's line, as pairs without a blank in their values."""
    steps = ",".join([f"{step}:{seconds * 1000:.2f}" for step, (_, seconds) in call.steps.items()])
    return (
        f"request={call.request_id} model={call.model} version={call.version or '-'} operation={call.operation} "
        f"outcome={call.outcome} ms={call.taken_s * 1000:.2f} in={call.received} out={call.sent} peer={call.peer}"
        f"{f' steps={steps}' if steps else ''}{f' trace={call.trace.trace_id}' if call.trace else ''}"
    )
