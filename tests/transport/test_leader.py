"""The thread that turns the loop runs quick calls itself, and gives the loop away where one is not quick."""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from soapsvc.model.signature import Limits
from soapsvc.soap.application import Reply
from soapsvc.soap.parsed import WORN_BYTES, note_parsed
from soapsvc.transport import leader
from soapsvc.transport.granian_server import GranianServer
from soapsvc.transport.http import read_body
from soapsvc.transport.leader import QUICK_S, Leadership, Pace, StopWatch
from soapsvc.transport.server import Patience
from soapsvc.transport.soap_handler import Exchange
from soapsvc.transport.waitress_server import SoapServer, make_server
from tests.conftest import until

KIND = "model", 9


class Loop:
    """Turns that run what stands in line, one call each. ran: by which threads."""

    def __init__(self) -> None:
        self.line: list[Callable[[], None]] = []
        self.ran: list[threading.Thread] = []
        self.stopped = threading.Event()
        self.leadership = Leadership(self._turn, self.stopped.is_set)
        self.thread = threading.Thread(target=self.leadership.run)
        self.thread.start()

    def _turn(self) -> None:
        if not self.line:
            time.sleep(0.0005)
            return
        work = self.line.pop(0)
        self.ran.append(threading.current_thread())
        self.leadership.call(work)

    def hold(self) -> threading.Event:
        """Have the leader wait in a call until the event is set, and return once it does."""
        held, let_go = threading.Event(), threading.Event()

        def wait() -> None:
            held.set()
            assert let_go.wait(60)

        self.line.append(wait)
        assert held.wait(60)
        return let_go

    def end(self) -> None:
        self.stopped.set()
        self.thread.join(60)
        assert not self.thread.is_alive()


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.end()


def test_leader_runs_the_calls_until_it_is_worn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "_WATCH_S", 600)  # no busy machine makes a call look long
    loop = Loop()
    loop.line += [*[lambda: None] * 300, lambda: note_parsed(WORN_BYTES), lambda: None]
    until(lambda: len(loop.ran) == 302)
    first, last = loop.ran[0], loop.ran[-1]
    assert set(loop.ran[:-1]) == {first}
    assert last is not first
    first.join(60)
    assert not first.is_alive()
    loop.end()


def test_another_leads_on_while_a_call_takes_long(loop: Loop) -> None:
    let_go = loop.hold()
    loop.line += [lambda: None] * 2
    until(lambda: len(loop.ran) == 3)
    first, *others = loop.ran
    assert first not in others
    assert first.is_alive(), "it is still in its call"
    let_go.set()
    first.join(60)
    loop.line.append(lambda: None)
    until(lambda: len(loop.ran) == 4)
    assert loop.ran[3] is not first, "who gave the loop away does not take it back"


def test_loop_ends_while_a_call_takes_long(loop: Loop) -> None:
    let_go = loop.hold()
    loop.end()
    let_go.set()


def test_leader_goes_on_when_no_other_can_be_started(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    loop.line.append(lambda: None)
    until(lambda: len(loop.ran) == 1)

    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    loop.line += [lambda: time.sleep(0.05), *[lambda: note_parsed(WORN_BYTES)] * 3]
    until(lambda: len(loop.ran) == 5)
    assert len(set(loop.ran)) == 1


def test_failure_of_a_turn_ends_the_loop() -> None:
    def turn() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        Leadership(turn, lambda: False).run()


def test_kind_of_calls_is_quick_until_its_calls_take_long() -> None:
    pace = Pace()
    assert pace.is_quick(KIND), "it is tried"
    pace.took(KIND, QUICK_S / 2)
    pace.took(KIND, 1.0)
    assert pace.is_quick(KIND), "once is no rule"
    for _ in range(3):
        pace.took(KIND, 1.0)
    assert not pace.is_quick(KIND)
    assert pace.is_quick(("model", 10))


def test_slow_kind_is_tried_again_by_and_by() -> None:
    pace = Pace()
    pace.took(KIND, 1.0)
    assert not pace.is_quick(KIND)
    calls = 1
    while not pace.is_quick(KIND):
        calls += 1
    assert 100 < calls < 5000


def test_kinds_of_models_that_do_not_exist_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "_MOST_KINDS", 10)
    pace = Pace()
    for number in range(100):
        pace.took((f"model-{number}", 9), 0.1)
    assert len(pace._averages) <= 10


def test_waiting_counts_where_it_takes_longer_than_work_on_a_busy_machine_would() -> None:
    watch, began = StopWatch(), time.perf_counter()
    time.sleep(0.02)
    assert 0.005 <= watch.seconds <= (time.perf_counter() - began) / 2


class Web:
    """Answers with the name of the thread that it is called on; `/soap/slow` once `let_go` is set."""

    draining = False

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.soap = SimpleNamespace(
            limits_of=lambda model: Limits(deadline_s=30.0 if model == "hasty" else None),
            calls_wait=lambda model: model == "waits",
            fault=lambda path, status, text, call: Reply(status, "text/xml", b"a defect"),
        )

    def model_called(self, method: str, path: str) -> str:
        return path.removeprefix("/soap/") if path.startswith("/soap/") else ""

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if environ["PATH_INFO"] == "/soap/slow":
            assert self.let_go.wait(60)
        name = threading.current_thread().name.encode()
        start_response("200 OK", [("Content-Length", str(len(name)))])
        return [name]


@dataclass(frozen=True)
class Running:
    """A server, of either kind, and where it listens."""

    server: SoapServer | GranianServer
    web: Any
    address: tuple[str, int]


@pytest.fixture(params=["waitress", "granian"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    web: Any = Web()
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    given = web, listener, Exchange(2**20, 2**20), Patience()
    made = make_server(*given) if request.param == "waitress" else GranianServer(*given, None)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield Running(made, web, address)
    web.let_go.set()
    made.stop()
    thread.join(60)
    assert not thread.is_alive()


def post(running: Running, path: str, body: bytes = b"<a/>", headers: Mapping[str, str] = {}) -> str:
    connection = http.client.HTTPConnection(*running.address, timeout=60)
    connection.request("POST", path, body, dict(headers))
    answer = connection.getresponse().read().decode()
    connection.close()
    return answer


@pytest.mark.parametrize(
    ("path", "body", "headers", "thread"),
    [
        ("/soap/quick", b"<a/>", {}, "loop"),
        ("/soap/hasty", b"<a/>", {}, "call-"),
        ("/soap/quick", b"<a/>", {"X-Deadline-Ms": "9000"}, "call-"),
        ("/soap/waits", b"<a/>", {}, "call-"),
        ("/soap/quick", b"<a/>" * 20_000, {}, "call-"),
        ("/soap/quick", b"<a/>" * 20_000, {"Content-Type": "multipart/related"}, "loop"),
        ("/soap/quick", b"<a/>", {"Content-Encoding": "gzip"}, "call-"),
        ("/health/live", b"<a/>", {}, "waitress-"),
    ],
)
def test_leader_runs_what_may_be_quick(
    running: Running, path: str, body: bytes, headers: Mapping[str, str], thread: str
) -> None:
    assert post(running, path, body, headers).startswith(thread)


def test_model_with_all_its_calls_under_way_has_no_more_run(running: Running) -> None:
    threads = [threading.Thread(target=post, args=(running, "/soap/slow")) for _ in range(8)]
    for thread in threads:
        thread.start()
    until(lambda: running.server._calls.waiting == 2)  # of eight threads a model may have six
    assert post(running, "/soap/quick") == "loop", "who gave the loop away goes on with his call"
    running.web.let_go.set()
    for thread in threads:
        thread.join(60)
    assert not running.server._calls.busy


@pytest.mark.parametrize("running", ["granian"], indirect=True)
@pytest.mark.parametrize("place", ["environ_of", "GranianRequest.refuse", "GranianRequest._call"])
def test_defect_is_logged_and_answered_and_ends_no_loop(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("secret".upper())  # a traceback quotes the line, which is no secret

    with monkeypatch.context() as broken:
        broken.setattr(f"soapsvc.transport.granian_request.{place}", fail)
        coding = {"Transfer-Encoding": "gzip, chunked"} if place.endswith("refuse") else {}
        assert post(running, "/soap/quick", b"0\r\n\r\n", coding) == "a defect"
    assert re.search(r"request \w+ failed", caplog.text)
    assert "LookupError" in caplog.text
    assert "SECRET" not in caplog.text
    assert post(running, "/soap/quick") == "loop"


@pytest.mark.parametrize("running", ["waitress"], indirect=True)
def test_body_may_be_let_go_of_as_soon_as_it_is_whole(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    body, taken = b"<a/>" * 50_000, list[bytes]()

    def add_task(channel: Any) -> None:  # what a call does, while the loop's thread still is in the channel's method
        request = channel.requests[0]
        environ = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": request.get_body_stream()}
        taken.append(read_body(environ, len(body)))
        SoapServer.add_task(running.server, channel)  # type: ignore[arg-type]

    monkeypatch.setattr(running.server, "add_task", add_task)
    assert post(running, "/soap/quick", body).startswith("call-")
    assert taken == [body]


def test_requests_on_one_connection_are_answered_in_order(running: Running) -> None:
    request = b"POST /soap/%s HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n%s\r\n<a/>"
    paths = ((b"quick", b""), (b"waits", b""), (b"quick", b""), (b"quick", b"Connection: close\r\n"))
    with socket.create_connection(running.address, timeout=60) as connection:
        connection.sendall(b"".join(request % path for path in paths))
        received = connection.makefile("rb").read()
    threads = [part.rpartition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 200 OK")[1:]]
    assert [thread[:4] for thread in threads[:2]] == [b"loop", b"call"]
    assert len(threads) == 4
