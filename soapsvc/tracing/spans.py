"""Spans of answered calls, sent to an OpenTelemetry collector. Needs `pip install 'soapsvc[tracing]'`.

Spans are made of the times that a call kept, a moment after its answer and on a thread of their own; another sends
them. So a call pays for a note of itself and, where its trace begins here, for an id. A collector that is away costs
spans, never a call.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from soapsvc.answered import Answered
from soapsvc.later import Later
from soapsvc.trace_context import TraceContext, parse_trace, well_formed

_DELAY_S = 0.25  # how long a call may wait until its spans are made, with all that come meanwhile
_MOST_WAITING = 32_768  # spans that wait to be sent; beyond them the oldest are dropped
_BATCH = 2_048  # spans sent at once
_CLOSE_S = 3.0  # how long the end of the server waits for a collector


class _Ids(RandomIdGenerator):
    """Random ids, but for a trace that was given its own when its call began."""

    trace_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id


class CallSpans:
    """Makes and sends the spans of calls; see `Tracing`.

    Whose caller keeps his spans, has his kept too; of traces that begin here a share is.
    """

    def __init__(self, exporter: SpanExporter, sample_ratio: float, worker: int | None) -> None:
        """worker: the number of this process among several, None where it is alone."""
        self._sampler = TraceIdRatioBased(sample_ratio)
        self._ids = _Ids()
        about: dict[str, str | int] = {"service.name": "soapsvc"}
        if worker is not None:
            about["soapsvc.worker"] = worker
        resource = Resource.create().merge(Resource(about)).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=resource, id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, max_queue_size=_MOST_WAITING, max_export_batch_size=_BATCH)
        )
        self._tracer = self._provider.get_tracer("soapsvc")
        self._calls: Later[Answered] = Later("spans", _DELAY_S, self._make)

    def begin(self, traceparent: str, tracestate: str) -> TraceContext | None:
        """See `Tracing`. A call whose caller sent no trace begins one, if it is of the share that is kept."""
        if traceparent and (given := parse_trace(traceparent, tracestate)) is not None:
            return given
        number = secrets.randbits(128)
        if not self._sampler.should_sample(None, number, "").decision.is_sampled():
            return None
        return TraceContext(f"{number:032x}", "", True)

    def add(self, call: Answered) -> None:
        """See `Tracing`."""
        if call.trace is not None and call.trace.sampled:
            self._calls.add(call)

    def flush(self) -> None:
        """Make the spans of what was added, and send them."""
        self._calls.flush()
        self._provider.force_flush()

    def close(self) -> None:
        """See `Tracing`. What a collector does not take in time is lost."""
        self._calls.flush()
        closing = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        closing.start()
        closing.join(_CLOSE_S)

    def _make(self, calls: deque[Answered]) -> None:
        epoch = time.time() - time.monotonic()
        while calls:
            self._make_one(calls.popleft(), epoch)

    def _make_one(self, call: Answered, epoch: float) -> None:
        """Make a call's spans. epoch: the time at which time.monotonic was 0."""

        def at(moment: float) -> int:
            return int((epoch + moment) * 1e9)

        trace = call.trace
        assert trace is not None
        self._ids.trace_id = int(trace.trace_id, 16)
        whole = self._tracer.start_span(
            _name(call), _parent(trace), SpanKind.SERVER, _attributes(call), start_time=at(call.began)
        )
        if call.outcome != "ok":
            whole.set_status(Status(StatusCode.ERROR))
        inside, spans = set_span_in_context(whole), dict[str, Span]()
        for stage, (began, seconds) in call.stages.items():
            spans[stage] = self._tracer.start_span(stage, inside, start_time=at(began))
            spans[stage].end(at(began + seconds))
        running = set_span_in_context(spans["run"]) if "run" in spans else inside
        for step, (began, seconds) in call.steps.items():
            self._tracer.start_span(f"step {step}", running, start_time=at(began)).end(at(began + seconds))
        whole.end(at(call.ended))


def _name(call: Answered) -> str:
    """Return the span's name: that of the method, which a caller can't choose, or the protocol's."""
    return f"{call.model}/{call.operation}" if call.operation != "-" else "soap"


def _attributes(call: Answered) -> dict[str, str | int]:
    """Return what is told of a call, named as OpenTelemetry's conventions for RPC have it, and what only we have."""
    told: dict[str, str | int] = {
        "rpc.system.name": "soap", "client.address": call.peer, "soapsvc.request_id": call.request_id,
        "soapsvc.model": call.model,
    }  # fmt: skip
    if call.operation != "-":
        told["rpc.method"] = _name(call)
    if call.version is not None:
        told["soapsvc.model_version"] = call.version
    if call.outcome != "ok":
        told["error.type"] = told["rpc.response.status_code"] = call.outcome
    return told


def _parent(trace: TraceContext) -> Context:
    """Return the context that a call's span stands in: the caller's span, or none."""
    if not trace.parent_id:
        return Context()
    state = TraceState.from_header([well_formed(trace.state)])
    parent = SpanContext(int(trace.trace_id, 16), int(trace.parent_id, 16), True, TraceFlags(TraceFlags.SAMPLED), state)
    return set_span_in_context(NonRecordingSpan(parent), Context())


def spans_to(endpoint: str, sample_ratio: float, worker: int | None) -> CallSpans:
    """Return what sends spans to a collector. endpoint: its URL, without the path of traces.

    The variables OTEL_EXPORTER_OTLP_... tell the rest: headers, certificates, compression, timeout.
    """
    return CallSpans(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces"), sample_ratio, worker)
