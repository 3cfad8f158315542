"""/metrics of a real server: calls, faults and states, of all workers."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.conftest import Server, serving
from tests.transport.talk import Talk

FLOWER = (
    "<sepalLength>5.1</sepalLength><sepalWidth>3.5</sepalWidth>"
    "<petalLength>1.4</petalLength><petalWidth>%s</petalWidth>"
)
ENVELOPE = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    f'<predict xmlns="urn:soapsvc:iris:v1">{FLOWER}</predict></soap:Body></soap:Envelope>'
)
HEADERS = {"Content-Type": "text/xml; charset=utf-8", "Connection": "close"}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers that serve the bundled models."""
    folder = tmp_path_factory.mktemp("two")
    with serving(Path("models"), folder / "server.log", "--workers", "2") as server:
        yield server


def call(server: Server, width: str = "0.2") -> int:
    return requests.post(f"{server.url}/soap/iris/v1", ENVELOPE % width, headers=HEADERS, timeout=60).status_code


def metrics(server: Server) -> dict[str, float]:
    answer = requests.get(f"{server.url}/metrics", headers={"Connection": "close"}, timeout=60)
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    found = re.findall(r"^(soapsvc_\w+(?:\{[^}]*\})?) (\S+)$", answer.text, re.MULTILINE)
    return {name: float(number) for name, number in found}


def until(server: Server, holds: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    end = time.monotonic() + 120
    while not holds(found := metrics(server)):
        assert time.monotonic() < end, "\n".join(f"{name} {value}" for name, value in found.items() if value)
        time.sleep(0.1)
    return found


CALLS = 'soapsvc_calls_total{model="iris",operation="predict",outcome="%s",version="%s"}'
OK, REFUSED = ("ok", "1"), ("InvalidInput", "-")
STATE = 'soapsvc_model_state{model="iris",state="AVAILABLE",version="1"}'


def test_one_worker_tells_the_calls_of_all_and_a_killed_one_takes_none_along(two: Server) -> None:
    assert [call(two) for _ in range(16)] == [200] * 16
    assert [call(two, "wide") for _ in range(4)] == [500] * 4
    found = until(two, lambda each: each.get(CALLS % OK) == 16 and each.get(CALLS % REFUSED) == 4)
    assert found['soapsvc_call_seconds_count{model="iris",operation="predict",version="1"}'] == 16
    assert found['soapsvc_stage_seconds_count{model="iris",stage="run"}'] == 16
    assert found['soapsvc_received_bytes_total{model="iris"}'] > 20 * len(FLOWER)
    until(two, lambda each: each.get(STATE) == 2)
    pid = next(
        each["pid"]
        for each in requests.get(f"{two.url}/health/models", timeout=60).json()["workers"]
        if each["worker"] == 1
    )
    os.kill(pid, signal.SIGKILL)
    restarts = 'soapsvc_worker_restarts_total{worker="1"}'
    found = until(two, lambda each: each.get(restarts) == 1 and each.get(STATE) == 2)
    assert found[CALLS % OK] == 16


def test_conversations_are_told_of_all_workers_and_not_twice(two: Server) -> None:
    talks = [Talk(two.url, "chat", Connection="close") for _ in range(6)]
    for talk in talks:
        talk.say("Hello, my name is Ada")
    talks[0].say("What is my name?")
    Talk(two.url, "chat", "an id that nobody was given", Connection="close").say("And mine?")
    turns = 'soapsvc_session_turns_total{state="%s"}'
    found = until(two, lambda each: each.get("soapsvc_sessions") == 7 and each.get(turns % "started") == 6)
    assert (found[turns % "continued"], found[turns % "expired"]) == (1, 1)
    assert found["soapsvc_session_bytes"] > 7 * 20


def test_memory_of_a_version_is_told_by_what_it_is(two: Server) -> None:
    size = 'soapsvc_model_bytes{kind="%s",model="iris",version="1"}'
    found = until(two, lambda each: each.get(size % "graph_file", 0) > 0)
    assert found[size % "graph_file"] == Path("models/iris/1/model.pb").stat().st_size
    assert found[size % "mapped_constants"] == 0  # they are small
    assert found[size % "load_growth"] >= 0


def test_bytes_of_an_answer_are_told_before_and_after_compression(two: Server) -> None:
    instance = f"<item>{FLOWER % '0.2'}</item>"
    body = f'<predictBatch xmlns="urn:soapsvc:iris:v1"><instances>{instance * 50}</instances></predictBatch>'
    envelope = f"{ENVELOPE.partition('<predict')[0]}{body}</soap:Body></soap:Envelope>"
    sent, unpacked = (f'soapsvc_{name}_bytes_total{{model="iris"}}' for name in ("sent", "unpacked_sent"))
    before = metrics(two)
    answer = requests.post(f"{two.url}/soap/iris/v1", envelope, headers=HEADERS, timeout=60)  # requests accepts gzip
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")
    found = until(two, lambda each: each[unpacked] - before.get(unpacked, 0) == len(answer.content))
    assert found[sent] - before.get(sent, 0) == int(answer.headers["Content-Length"])
