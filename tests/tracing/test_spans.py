"""Spans of calls, read from the SDK's own exporter in memory."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from soapsvc.answered import Answered
from soapsvc.trace_context import TraceContext
from soapsvc.tracing.spans import CallSpans

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
BEGAN = time.monotonic() - 10


def answered(trace: TraceContext | None, **other: Any) -> Answered:
    """Return a call of a pipeline that was answered."""
    stages = {"queue": (BEGAN, 1.0), "parse": (BEGAN + 1, 2.0), "run": (BEGAN + 3, 4.0), "serialise": (BEGAN + 8, 1.0)}
    steps = {"cut": (BEGAN + 3, 1.0), "read": (BEGAN + 4, 2.0)}
    call = Answered(
        "7f00", "192.0.2.1", "reader", 3, "predict", "ok", trace, BEGAN, BEGAN + 10, time.time(), 10.0, 1, 2, 2, stages,
        steps,
    )  # fmt: skip
    return call._replace(**other)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[CallSpans]:
    made = CallSpans(exporter, 1.0, 2)
    yield made
    made.close()


def told(spans: CallSpans, exporter: InMemorySpanExporter, call: Answered) -> dict[str, ReadableSpan]:
    spans.add(call)
    spans.flush()
    return {span.name: span for span in exporter.get_finished_spans()}


def test_call_has_a_span_with_one_for_each_stage_and_step(spans: CallSpans, exporter: InMemorySpanExporter) -> None:
    found = told(spans, exporter, answered(spans.begin(f"00-{TRACE}-{SPAN}-01", "a=1,b=2")))
    assert sorted(found) == ["parse", "queue", "reader/predict", "run", "serialise", "step cut", "step read"]
    whole = found["reader/predict"]
    assert (whole.kind, whole.status.status_code) == (SpanKind.SERVER, StatusCode.UNSET)
    assert whole.parent is not None
    assert (f"{whole.parent.trace_id:032x}", f"{whole.parent.span_id:016x}") == (TRACE, SPAN)
    assert whole.parent.is_remote
    assert whole.attributes == {
        "rpc.system.name": "soap", "rpc.method": "reader/predict", "client.address": "192.0.2.1",
        "soapsvc.request_id": "7f00", "soapsvc.model": "reader", "soapsvc.model_version": 3,
    }  # fmt: skip
    assert whole.resource.attributes["service.name"] == "soapsvc"
    assert whole.resource.attributes["soapsvc.worker"] == 2
    for name, span in found.items():
        assert f"{span.context.trace_id:032x}" == TRACE
        assert span.context.trace_state.to_header() == "a=1,b=2"
        if span is not whole:
            above = found["run"] if name.startswith("step ") else whole
            assert span.parent is not None
            assert span.parent.span_id == above.context.span_id
    assert found["parse"].start_time == pytest.approx(found["queue"].end_time, abs=1e4)
    assert found["run"].end_time - found["run"].start_time == pytest.approx(4e9, abs=1e4)
    assert abs(found["queue"].start_time / 1e9 - (time.time() - time.monotonic() + BEGAN)) < 1
    assert whole.end_time > found["serialise"].end_time


def test_fault_is_an_error_by_its_name(spans: CallSpans, exporter: InMemorySpanExporter) -> None:
    call = answered(spans.begin("", ""), outcome="InvalidInput", stages={}, steps={}, version=None, operation="-")
    found = told(spans, exporter, call)
    (whole,) = found.values()
    assert (whole.name, whole.status.status_code) == ("soap", StatusCode.ERROR)
    assert whole.attributes is not None
    assert whole.attributes["error.type"] == whole.attributes["rpc.response.status_code"] == "InvalidInput"
    assert "soapsvc.model_version" not in whole.attributes


def test_trace_that_begins_here_has_the_id_that_the_call_was_given(
    spans: CallSpans, exporter: InMemorySpanExporter
) -> None:
    for headers in (("", ""), ("not a traceparent", "a=1")):
        trace = spans.begin(*headers)
        assert trace is not None
        exporter.clear()
        whole = told(spans, exporter, answered(trace))["reader/predict"]
        assert whole.parent is None
        assert f"{whole.context.trace_id:032x}" == trace.trace_id


def test_caller_decides_for_his_trace_and_the_ratio_for_the_others(exporter: InMemorySpanExporter) -> None:
    none = CallSpans(exporter, 0.0, None)
    assert none.begin("", "") is None
    kept = none.begin(f"00-{TRACE}-{SPAN}-01", "")
    dropped = none.begin(f"00-{TRACE}-{SPAN}-00", "")
    assert dropped is not None
    assert dropped.trace_id == TRACE
    assert told(none, exporter, answered(dropped)) == {}
    assert told(none, exporter, answered(None)) == {}
    assert len(told(none, exporter, answered(kept))) == 7
    none.close()
    half = CallSpans(exporter, 0.5, None)
    begun = sum(half.begin("", "") is not None for _ in range(2000))
    half.close()
    assert 800 < begun < 1200


def test_malformed_state_is_neither_passed_on_nor_logged(
    spans: CallSpans, exporter: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    found = told(spans, exporter, answered(spans.begin(f"00-{TRACE}-{SPAN}-01", "a=PSSST\x07")))
    assert found["run"].context.trace_state.to_header() == ""
    assert "PSSST" not in caplog.text


class Broken(SpanExporter):
    """Fails at every batch."""

    def export(self, spans: object) -> SpanExportResult:
        raise OSError("no route")


def test_collector_that_fails_costs_spans_only(caplog: pytest.LogCaptureFixture) -> None:
    spans = CallSpans(Broken(), 1.0, None)
    spans.add(answered(spans.begin("", "")))
    spans.flush()
    spans.add(answered(spans.begin("", "")))
    spans.close()
    assert "no route" in caplog.text
