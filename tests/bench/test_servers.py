"""Servers that the benchmark starts besides those of peers."""

from __future__ import annotations

import requests

from bench.iris import FLOWERS, MODELS, PATH, envelope
from bench.subjects import Subject, running


def test_silent_server_answers_and_counts_no_call() -> None:
    arguments = ("-m", "bench.silent_server", "--host", "127.0.0.1", "--port", "0", "--models", str(MODELS))
    with running((Subject("silent", arguments),)) as (server,):
        url = f"http://127.0.0.1:{server.port}"
        answer = requests.post(url + PATH, envelope(FLOWERS[0]), headers={"Content-Type": "text/xml"}, timeout=60)
        assert answer.status_code == 200
        assert b"setosa" in answer.content
        assert 'soapsvc_calls_total{model="iris"' not in requests.get(url + "/metrics", timeout=60).text
