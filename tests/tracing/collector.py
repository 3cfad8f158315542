"""A real OpenTelemetry collector for tests, which writes the spans that it receives as text."""

from __future__ import annotations

import re
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.conftest import ROOT, until

PROGRAM = ROOT / ".venv/collector"
_CONFIGURATION = """
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:%d"}}}}
exporters: {debug: {verbosity: detailed}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [debug]}}
"""


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as the collector understood it.

    worker: who made it, empty where there is one process.  start, end: as text, which sorts by time.
    """

    trace_id: str
    parent_id: str
    id: str
    name: str
    kind: str
    state: str
    status: str
    start: str
    end: str
    attributes: dict[str, str]
    worker: str


class Collector:
    """A collector on a free port; `stop` ends it."""

    def __init__(self, folder: Path) -> None:
        if not PROGRAM.exists():
            pytest.fail("a collector is needed: make .venv/collector (with Go)")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url, self._log = f"http://127.0.0.1:{port}", folder / "collector.log"
        with self._log.open("w") as output:
            command = [str(PROGRAM), "--config", "yaml:" + _CONFIGURATION % port]
            self._process = subprocess.Popen(command, stderr=output, stdout=output)
        until(self._answers)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            return requests.get(f"{self.url}/v1/traces", timeout=10).status_code == 405
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)

    def text(self) -> str:
        return self._log.read_text()

    def spans(self) -> list[ReceivedSpan]:
        """Return the spans that came so far."""
        resources = re.split(r"ResourceSpans #\d+\n", self.text())[1:]
        return [_span(block, each) for each in resources for block in re.split(r"^Span #\d+\n", each, flags=re.M)[1:]]

    def of_trace(self, trace_id: str, count: int) -> dict[str, ReceivedSpan]:
        """Return a trace's spans by name once there are as many."""
        until(lambda: len([span for span in self.spans() if span.trace_id == trace_id]) >= count)
        found = [span for span in self.spans() if span.trace_id == trace_id]
        assert len(found) == count, found
        return {span.name: span for span in found}


def _span(block: str, resource: str) -> ReceivedSpan:
    def value(name: str) -> str:
        found = re.search(rf"^    {name} *: (.*)$", block, re.MULTILINE)
        return found[1].strip() if found else ""

    worker = re.search(r"soapsvc\.worker: Int\((.*)\)", resource)
    return ReceivedSpan(
        value("Trace ID"), value("Parent ID"), value("ID"), value("Name"), value("Kind"), value("TraceState"),
        value("Status code"), value("Start time"), value("End time"),
        dict(re.findall(r"^     -> ([\w.]+): \w+\((.*)\)$", block, re.MULTILINE)), worker[1] if worker else "",
    )  # fmt: skip
