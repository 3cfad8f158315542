"""The server on Granian: the same answers as on waitress, and the same bounds."""

from __future__ import annotations

import gzip
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from soapsvc.settings import Settings
from soapsvc.transport.servers import check_server
from soapsvc.transport.start import StartError
from tests.conftest import ROOT, Server, serving, until
from tests.soap.conftest import envelope
from tests.soap.packages import content_type, package, root
from tests.transport.test_hot_swap import answer as told
from tests.transport.test_hot_swap import publish
from tests.transport.test_overload import (
    FLOWER,
    HEADERS,
    IRIS,
    LONG,
    answer,
    call,
    connect,
    detail,
    has_refusal,
    iris,
    request_id_in,
)
from tests.transport.test_workers import WAIT_S, is_gone, processes

GRANIAN = ("--server", "granian")
OF_A_CONNECTION = {"date", "server", "connection", "content-length"}


@pytest.fixture(scope="module")
def granian(slow_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with short times, and a model `slow` that runs one call at a time and lets two wait."""
    log = tmp_path_factory.mktemp("granian") / "server.log"
    arguments = ("--header-timeout-s", "1", "--request-timeout-s", "2", "--max-connections", "600")
    with serving(slow_models, log, *GRANIAN, *arguments) as running:
        yield running


@pytest.fixture(scope="module")
def waitress(slow_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(slow_models, tmp_path_factory.mktemp("waitress") / "server.log") as running:
        yield running


# The same answers


@dataclass(frozen=True)
class Case:
    """A request. chunked: sent without a length."""

    name: str
    method: str = "POST"
    path: str = "/soap/iris/v1"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    chunked: bool = False

    def send(self, server: Server) -> requests.Response:
        body: Any = self.body
        if self.chunked:
            body = (self.body[start : start + 100_000] for start in range(0, len(self.body), 100_000))
        named = HEADERS | {"X-Request-Id": "same", "Accept-Encoding": "identity"} | dict(self.headers)
        return requests.request(self.method, f"{server.url}{self.path}", data=body, headers=named, timeout=60)


ITEMS = f"<item>{FLOWER}</item>" * 50
BATCH = envelope(f'<predictBatch xmlns="urn:soapsvc:iris:v1"><instances>{ITEMS}</instances></predictBatch>')
ATTACHED = (("Content-Type", content_type()),)
CASES = [
    Case("a call", body=IRIS),
    Case("a call in chunks", body=IRIS, chunked=True),
    Case("a message of another SOAP", path="/soap12/iris/v1", body=IRIS),
    Case("an unknown operation", body=envelope('<forecast xmlns="urn:soapsvc:iris:v1"/>')),
    Case("a value that is none", body=IRIS.replace(b"5.1", b"five")),
    Case("no XML", body=b"junk"),
    Case("nothing"),
    Case("the WSDL", "GET", "/soap/iris/v1?wsdl"),
    Case("the WSDL's head", "HEAD", "/soap/iris/v1?wsdl"),
    Case("no such service", "POST", "/soap/none/v1", IRIS),
    Case("no such page", "GET", "/none"),
    Case("another method", "PUT", body=IRIS),
    Case("another media type", body=IRIS, headers=(("Content-Type", "text/plain"),)),
    Case("too large", body=b"a" * (16 * 1024**2 + 1)),
    Case("too large in chunks", body=b"a" * (16 * 1024**2 + 1), chunked=True),
    Case("a long answer", body=BATCH),
    Case("a compressed answer", body=BATCH, headers=(("Accept-Encoding", "gzip"),)),
    Case("a compressed call", body=gzip.compress(BATCH), headers=(("Content-Encoding", "gzip"),)),
    Case("attachments", body=package([root(IRIS)]), headers=ATTACHED),
    Case(
        "attachments in chunks", body=package([root(IRIS)]), headers=(("Content-Type", content_type()),), chunked=True
    ),
    Case("a deadline that is none", body=IRIS, headers=(("X-Deadline-Ms", "soon"),)),
    Case("home", "GET", "/"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answer_is_the_same_as_from_waitress(granian: Server, waitress: Server, case: Case) -> None:
    ours, theirs = seen(case.send(granian), granian), seen(case.send(waitress), waitress)
    assert ours == theirs


def seen(response: requests.Response, server: Server) -> tuple[int, bytes, dict[str, str]]:
    """Return what is to be the same. Attachments are written with boundaries of their own."""
    headers = {name.lower(): value for name, value in response.headers.items() if name.lower() not in OF_A_CONNECTION}
    body = response.content.replace(server.url.encode(), b"URL")
    if headers["content-type"].startswith("multipart/"):
        assert b"setosa" in body
        headers["content-type"], body = "multipart", b""
    return response.status_code, body, headers


def test_call_is_logged_as_on_waitress(granian: Server, waitress: Server) -> None:
    for server in (granian, waitress):
        requests.post(f"{server.url}/soap/iris/v1", IRIS, headers=HEADERS | {"X-Request-Id": "logged"}, timeout=60)
        assert "soapsvc.calls request=logged model=iris version=1 operation=predict outcome=ok ms=" in server.logged()


# Bounds


def test_full_model_is_overloaded_at_once_and_others_answer(granian: Server, pool: ThreadPoolExecutor) -> None:
    calls = [pool.submit(call, granian, LONG) for _ in range(8)]
    until(lambda: sum(each.done() for each in calls) >= 5)  # one runs and two wait
    refused = [each.result() for each in calls if each.done()]
    assert len(refused) == 5
    for response in refused:
        assert response.status_code == 500
        assert detail(response, "Overloaded")["code"] == "queue-full"
    assert iris(granian).status_code == 200
    assert requests.get(f"{granian.url}/health/ready", timeout=60).status_code == 200
    assert sum(each.done() for each in calls) == 5, "the slow calls were not under way any more: a longer one is needed"
    assert [each.result().status_code for each in calls].count(200) == 3


def test_late_answer_and_late_turn_are_deadline_exceeded(granian: Server, pool: ThreadPoolExecutor) -> None:
    first = pool.submit(call, granian, LONG)
    until(lambda: pool.submit(call, granian, 1, X_Deadline_Ms="100").result().status_code == 500)
    assert detail(call(granian, LONG, X_Deadline_Ms="100"), "DeadlineExceeded")["deadlineSeconds"] == "0.1"
    assert not first.done(), "the first call ended too soon: a longer one is needed"
    assert first.result().status_code == 200
    assert detail(call(granian, LONG, X_Deadline_Ms="200"), "DeadlineExceeded")["deadlineSeconds"] == "0.2"
    assert call(granian, 1).status_code == 200


def test_full_server_answers_503(slow_models: Path, tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with serving(slow_models, tmp_path / "server.log", *GRANIAN, "--max-waiting-requests", "1") as server:
        calls = [pool.submit(call, server, LONG)]
        until(lambda: pool.submit(call, server, LONG, X_Deadline_Ms="50").result().status_code in (500, 503))
        calls += [pool.submit(call, server, LONG) for _ in range(3)]
        until(lambda: any(each.done() for each in calls))
        full = next(each.result() for each in calls if each.done())
        assert (full.status_code, full.headers["Retry-After"]) == (503, "1")
        assert "Fault" in full.text
        assert {each.result().status_code for each in calls} <= {200, 503}
        assert has_refusal(server, 503, full.headers["X-Request-Id"], "slow")


def test_bodies_held_are_bounded(slow_models: Path, tmp_path: Path) -> None:
    head = b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 900000\r\n\r\n<"
    large = Case("large", body=envelope("<a/>" + " " * 300_000))
    holders: list[socket.socket] = []
    with serving(slow_models, tmp_path / "server.log", *GRANIAN, "--max-buffered-bytes", str(1024**2)) as server:
        assert iris(server).status_code == 200

        def is_refused() -> bool:
            holders.append(connect(server))  # the large message may be there before it, and have the room
            holders[-1].sendall(head)
            return large.send(server).status_code == 503

        try:
            until(is_refused)
            assert iris(server).status_code == 200
            for holder in holders:
                holder.shutdown(socket.SHUT_WR)
            until(lambda: large.send(server).status_code == 500)
        finally:
            for holder in holders:
                holder.close()


def test_headers_that_do_not_come_close_the_connection(granian: Server) -> None:
    with connect(granian) as connection:
        connection.sendall(b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\n")
        assert answer(connection) == b""


@pytest.mark.parametrize("length", [b"Content-Length: 1000\r\n\r\n<", b"Transfer-Encoding: chunked\r\n\r\n5\r\n<"])
def test_body_that_does_not_come_is_408(granian: Server, length: bytes) -> None:
    with connect(granian) as connection:
        connection.sendall(b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n" + length)
        head = connection.recv(65536)
        assert head.startswith(b"HTTP/1.1 408 ")
        assert b"connection: close" in head.lower()
        connection.settimeout(10)
        answer(connection)  # to its end: the server does not wait for the rest of the body
    assert has_refusal(granian, 408, request_id_in(head), "iris")


def test_500_slow_bodies_do_not_keep_a_good_client_waiting(granian: Server) -> None:
    head = b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n"
    drippers = [connect(granian) for _ in range(500)]
    try:
        for part in (head, b"<", b"a"):
            for each in drippers:
                each.sendall(part)
            assert iris(granian).status_code == 200
    finally:
        for each in drippers:
            each.close()
    assert iris(granian).status_code == 200
    assert "Traceback" not in granian.logged()


@pytest.mark.parametrize("end", [b"", b"Content-Length: 700000\r\n"], ids=["chunked", "of known length"])
def test_message_that_is_cut_off_is_400(granian: Server, end: bytes) -> None:
    head = b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
    body = b"%x\r\n%s\r\n" % (len(IRIS), IRIS)  # a whole message, but for the chunk that ends it
    with connect(granian) as connection:
        connection.sendall(head + (end or b"Transfer-Encoding: chunked\r\n") + b"\r\n" + body)
        connection.shutdown(socket.SHUT_WR)
        received = answer(connection)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"the message ends early" in received


def test_trailers_are_passed_over(granian: Server) -> None:
    head = b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n"
    body = b"%x\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(IRIS), IRIS)
    with connect(granian) as connection:
        connection.sendall(head + b"Connection: close\r\nTrailer: X-Sum\r\n\r\n" + body)
        assert answer(connection).startswith(b"HTTP/1.1 200 ")


def test_connection_is_kept_after_a_large_message(granian: Server) -> None:
    head = b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
    large = BATCH + b" " * 200_000
    with connect(granian) as connection:
        connection.sendall(b"%sContent-Length: %d\r\n\r\n%s" % (head, len(large), large))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"%sConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (head, len(IRIS), IRIS))
        assert b"HTTP/1.1 200 " in answer(connection)


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"chunked\r\nTransfer-Encoding: chunked"])
def test_transfer_encoding_other_than_chunked_is_400(granian: Server, coding: bytes) -> None:
    with connect(granian) as connection:
        connection.sendall(
            b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_content_length_beside_transfer_encoding_counts_for_nothing(granian: Server) -> None:
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(IRIS), IRIS)
    head = b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nConnection: close\r\n"
    with connect(granian) as connection:
        connection.sendall(head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        assert answer(connection).startswith(b"HTTP/1.1 200 ")


def test_answer_that_is_not_taken_closes_the_connection(granian: Server) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        parts = urlsplit(granian.url)
        connection.connect((parts.hostname, parts.port or 80))
        connection.settimeout(0.5)
        with pytest.raises(OSError, match=r"timed out|reset|[Bb]roken pipe"):
            ask_on(connection)
        until(lambda: connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0)  # ECONNRESET


def ask_on(connection: socket.socket) -> None:
    """Send requests until no more of them are taken."""
    while True:
        connection.sendall(b"GET /soap/iris/v1?wsdl HTTP/1.1\r\nHost: x\r\n\r\n")


# Processes


@pytest.fixture(params=["1", "2"])
def workers(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def stop(server: Server) -> None:
    server.process.send_signal(signal.SIGTERM)


def test_stop_lets_calls_end(slow_models: Path, tmp_path: Path, pool: ThreadPoolExecutor, workers: str) -> None:
    arguments = (*GRANIAN, "--workers", workers, "--drain-delay-s", "2")
    with serving(slow_models, tmp_path / "server.log", *arguments) as server:
        session = requests.Session()
        assert session.get(f"{server.url}/health/ready", timeout=60).status_code == 200
        running = pool.submit(call, server, 2 * LONG)
        until(lambda: call(server, 1, X_Deadline_Ms="50").status_code == 500)
        stop(server)
        until(lambda: session.get(f"{server.url}/health/ready", timeout=60).status_code == 503)
        assert iris(server).status_code == 200  # it still answers who comes
        assert server.process.wait(timeout=120) == 0
        assert running.result().status_code == 200
        assert running.result().content.endswith(b"</soap:Envelope>")
        with pytest.raises(requests.ConnectionError):
            iris(server)
    assert "Traceback" not in server.logged()


def test_stop_does_not_wait_for_calls_for_ever(slow_models: Path, tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with serving(slow_models, tmp_path / "server.log", *GRANIAN, "--drain-timeout-s", "0.5") as server:
        lost = pool.submit(call, server, 20 * LONG)
        until(lambda: call(server, 1, X_Deadline_Ms="50").status_code == 500)
        stop(server)
        assert server.process.wait(timeout=60) == 0
        with pytest.raises(requests.ConnectionError):
            lost.result()
    assert "calls took longer than 0.5 s" in server.logged()


def test_second_ctrl_c_ends_at_once(slow_models: Path, tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with serving(slow_models, tmp_path / "server.log", *GRANIAN, "--drain-timeout-s", "100") as server:
        lost = pool.submit(call, server, 100 * LONG)
        until(lambda: call(server, 1, X_Deadline_Ms="50").status_code == 500)
        server.process.send_signal(signal.SIGINT)
        until(lambda: "stopping: not ready any more" in server.logged())
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=60) == 0
        with pytest.raises(requests.ConnectionError):
            lost.result()


def test_killed_worker_is_started_anew_and_reload_reaches_all(tmp_path: Path) -> None:
    publish(tmp_path / "models", 1)
    pid_file = tmp_path / "pid"
    arguments = (*GRANIAN, "--workers", "2", "--watch-interval-s", "0", "--pid-file", str(pid_file))
    with serving(tmp_path / "models", tmp_path / "server.log", *arguments) as server:
        before = processes(server)
        os.kill(before[1], signal.SIGKILL)
        until(lambda: is_gone(before[1]))  # until then it may still be sent connections
        until(lambda: {**before, **processes(server)}[1] != before[1], WAIT_S)
        assert processes(server)[2] == before[2]
        publish(tmp_path / "models", 2)
        command = [sys.executable, "-m", "soapsvc", "reload", "--pid-file", str(pid_file), "--url", server.url]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S)
        assert (done.returncode, done.stderr) == (0, "")
        assert {told(server) for _ in range(8)} == {2}


def test_granian_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soapsvc.transport.servers.find_spec", lambda name: None)
    with pytest.raises(StartError, match=r"granian is not installed; install soapsvc\[granian\], or choose waitress"):
        check_server(Settings(server="granian"))


def test_granian_is_refused_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soapsvc.transport.servers.os", SimpleNamespace(name="nt"))
    with pytest.raises(StartError, match=r"server: .*Windows.*; choose waitress"):
        check_server(Settings(server="granian"))
