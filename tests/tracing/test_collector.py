"""A real server, of one process and of two workers, and a real collector that it sends the spans of its calls to."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import requests
import yaml

from tests.conftest import ROOT, Server, serving, until
from tests.soap.conftest import envelope
from tests.tracing.collector import Collector
from tests.transport.test_overload import FLOWER, HEADERS, IRIS
from tests.transport.test_workers import post as post_kept
from tests.transport.test_workers import sessions

SPAN = "00f067aa0ba902b7"
SCENE = ROOT / "clients/csharp/scene.jpg"
MANIFEST = ROOT / "models/digit-reader/1/model.yaml"
STAGES = ["queue", "parse", "run", "serialise"]


@dataclass(frozen=True)
class Traced:
    """A server, and the collector that it tells."""

    server: Server
    collector: Collector


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    made = Collector(tmp_path_factory.mktemp("collector"))
    yield made
    made.stop()


@pytest.fixture(scope="module", params=["waitress", "granian"])
def traced(
    collector: Collector, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Traced]:
    """A server with the models of digit-reader, and iris."""
    folder = tmp_path_factory.mktemp("traced")
    for name in ("iris", "digit-areas", "digit-classes", "digit-cuts", "digit-reader"):
        shutil.copytree(ROOT / "models" / name, folder / "models" / name)
    arguments = ("--tracing", "otlp", "--otlp-endpoint", collector.url, "--server", request.param)
    with serving(folder / "models", folder / "server.log", *arguments) as server:
        yield Traced(server, collector)


def post(server: Server, body: bytes, model: str, **headers: str) -> requests.Response:
    named = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(f"{server.url}/soap/{model}/v1", body, headers=named, timeout=120)


def trace_of(server: Server, request_id: str) -> str:
    """Return the trace that the log names for a request."""
    found = re.findall(rf"request={request_id} .* trace=([0-9a-f]{{32}})$", server.logged(), re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


def test_call_goes_on_with_its_callers_trace(traced: Traced) -> None:
    trace = uuid4().hex
    parent = f"00-{trace}-{SPAN}-01"
    answer = post(traced.server, IRIS, "iris", traceparent=parent, tracestate="vendor=opaque,other=1")
    request_id = answer.headers["X-Request-Id"]
    assert answer.status_code == 200
    assert trace_of(traced.server, request_id) == trace
    spans = traced.collector.of_trace(trace, 5)
    whole = spans["iris/predict"]
    assert (whole.parent_id, whole.kind, whole.status) == (SPAN, "Server", "Unset")
    assert whole.attributes["soapsvc.request_id"] == request_id
    assert {span.state for span in spans.values()} == {"vendor=opaque,other=1"}
    inside = [spans[name] for name in STAGES]
    assert {span.parent_id for span in inside} == {whole.id}
    moments = [moment for span in inside for moment in (span.start, span.end)]
    assert [whole.start, *moments, whole.end] == sorted([whole.start, *moments, whole.end])


def test_fault_has_one_request_id_in_header_detail_log_and_trace(traced: Traced) -> None:
    wrong = envelope(f'<predict xmlns="urn:soapsvc:iris:v1">{FLOWER.replace("5.1", "wide")}</predict>')
    answer = post(traced.server, wrong, "iris", traceparent="00-malformed")
    request_id = answer.headers["X-Request-Id"]
    assert re.findall("<requestId>(.*?)</requestId>", answer.text) == [request_id]
    spans = traced.collector.of_trace(trace_of(traced.server, request_id), 2)
    whole = spans["iris/predict"]
    assert (whole.status, whole.parent_id, spans["queue"].parent_id) == ("Error", "", whole.id)
    assert whole.attributes["error.type"] == "InvalidInput"
    assert whole.attributes["soapsvc.request_id"] == request_id


def test_steps_of_a_pipeline_are_spans_of_its_run(traced: Traced) -> None:
    picture = base64.b64encode(SCENE.read_bytes()).decode()
    body = envelope(f'<predict xmlns="urn:soapsvc:digit-reader:v1"><image>{picture}</image></predict>')
    trace = uuid4().hex
    answer = post(traced.server, body, "digit-reader", traceparent=f"00-{trace}-{SPAN}-01")
    assert answer.status_code == 200, answer.text
    steps = [f"step {name}" for name in yaml.safe_load(MANIFEST.read_text())["steps"]]
    spans = traced.collector.of_trace(trace, 5 + len(steps))
    assert {spans[name].parent_id for name in steps} == {spans["run"].id}
    assert all(spans["run"].start <= spans[name].start <= spans[name].end <= spans["run"].end for name in steps)


def test_caller_who_keeps_no_spans_has_his_trace_in_the_log_alone(traced: Traced) -> None:
    trace, kept = uuid4().hex, uuid4().hex
    answer = post(traced.server, IRIS, "iris", traceparent=f"00-{trace}-{SPAN}-00")
    assert trace_of(traced.server, answer.headers["X-Request-Id"]) == trace
    post(traced.server, IRIS, "iris", traceparent=f"00-{kept}-{SPAN}-01", Connection="close")
    traced.collector.of_trace(kept, 5)
    assert trace not in traced.collector.text()


def test_each_worker_sends_the_spans_of_its_calls(collector: Collector, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "models/iris", tmp_path / "models/iris")
    arguments = ("--workers", "2", "--tracing", "otlp", "--otlp-endpoint", collector.url)
    traces = {}
    with serving(tmp_path / "models", tmp_path / "log", *arguments) as server:
        for worker, kept in sessions(server).items():
            traces[str(worker)] = uuid4().hex
            parent = f"00-{traces[str(worker)]}-{SPAN}-01"
            assert post_kept(kept, f"{server.url}/soap/iris/v1", IRIS, traceparent=parent).status_code == 200
    assert traces.keys() == {"1", "2"}
    for worker, trace in traces.items():
        assert {span.worker for span in collector.of_trace(trace, 5).values()} == {worker}


def test_what_waits_is_sent_before_the_server_ends(collector: Collector, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "models/iris", tmp_path / "models/iris")
    trace = uuid4().hex
    with serving(
        tmp_path / "models", tmp_path / "log", "--tracing", "otlp", "--otlp-endpoint", collector.url
    ) as server:
        assert post(server, IRIS, "iris", traceparent=f"00-{trace}-{SPAN}-01").status_code == 200
    assert len([span for span in collector.spans() if span.trace_id == trace]) == 5


def test_collector_that_is_away_stops_neither_calls_nor_the_end(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "models/iris", tmp_path / "models/iris")
    arguments = ("--tracing", "otlp", "--otlp-endpoint", "http://127.0.0.1:9", "--log-format", "json")
    with serving(tmp_path / "models", tmp_path / "log", *arguments) as server:
        assert [post(server, IRIS, "iris").status_code for _ in range(20)] == [200] * 20
        until(lambda: "opentelemetry.exporter" in server.logged(), 60)
    assert server.process.returncode == 0
    calls = [json.loads(line) for line in server.log.read_text().splitlines() if '"soapsvc.calls"' in line]
    assert len([call for call in calls if call["model"] == "iris" and len(call["trace"]) == 32]) == 20
