"""Tracing: the spans that tell a collector of calls. Only `spans`, which makes them, needs OpenTelemetry: an extra."""

from __future__ import annotations

from typing import Protocol

from soapsvc.answered import Answered
from soapsvc.trace_context import TraceContext, parse_trace


class Tracing(Protocol):
    """Decides which trace a call belongs to, and tells of it once it is answered. Safe to use from many threads."""

    def begin(self, traceparent: str, tracestate: str) -> TraceContext | None:
        """Return the trace that a caller sent headers of, empty without; None where the call belongs to none."""

    def add(self, call: Answered) -> None:
        """Tell of a call."""

    def close(self) -> None:
        """Send what was not sent yet."""


class Untraced:
    """Makes no spans: a call belongs to its caller's trace, or to none."""

    def begin(self, traceparent: str, tracestate: str) -> TraceContext | None:
        """See `Tracing`."""
        return parse_trace(traceparent, tracestate) if traceparent else None

    def add(self, call: Answered) -> None:
        """See `Tracing`."""

    def close(self) -> None:
        """See `Tracing`."""
