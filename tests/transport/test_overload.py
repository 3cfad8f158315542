"""More than the server can take: full models, late answers, slow peers, and a stop in the middle of calls."""

from __future__ import annotations

import re
import shutil
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
import yaml
from lxml import etree

from tests.conftest import Server, serving, until
from tests.soap.conftest import envelope

LONG = 3000  # steps of the slow model: seconds
HEADERS = {"Content-Type": "text/xml"}
FLOWER = (
    "<sepalLength>5.1</sepalLength><sepalWidth>3.5</sepalWidth>"
    "<petalLength>1.4</petalLength><petalWidth>0.2</petalWidth>"
)
IRIS = envelope(f'<predict xmlns="urn:soapsvc:iris:v1">{FLOWER}</predict>')


def slow(steps: int) -> bytes:
    return envelope(f'<predict xmlns="urn:soapsvc:slow:v1"><steps>{steps}</steps></predict>')


def call(server: Server, steps: int, **headers: str) -> requests.Response:
    named = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(f"{server.url}/soap/slow/v1", slow(steps), headers=named, timeout=120)


def iris(server: Server) -> requests.Response:
    return requests.post(f"{server.url}/soap/iris/v1", IRIS, headers=HEADERS, timeout=120)


def detail(response: requests.Response, fault: str) -> dict[str, str]:
    node = etree.fromstring(response.content).find(f".//detail/{{*}}{fault}")
    assert node is not None, response.text
    return {etree.QName(child).localname: child.text or "" for child in node}


@pytest.fixture(scope="module")
def busy(slow_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose model `slow` runs one call at a time and lets two wait."""
    log = tmp_path_factory.mktemp("busy") / "server.log"
    with serving(slow_models, log, "--header-timeout-s", "1", "--request-timeout-s", "3") as running:
        yield running


# Full models


def test_full_model_is_overloaded_at_once_and_others_answer(busy: Server, pool: ThreadPoolExecutor) -> None:
    calls = [pool.submit(call, busy, LONG) for _ in range(8)]
    until(lambda: sum(each.done() for each in calls) >= 5)  # one runs and two wait
    refused = [each.result() for each in calls if each.done()]
    assert len(refused) == 5
    for response in refused:
        assert response.status_code == 500
        fields = detail(response, "Overloaded")
        assert (fields["code"], int(fields["retryAfterSeconds"])) == ("queue-full", 1)
        assert response.headers["X-Request-Id"] == fields["requestId"]
    assert iris(busy).status_code == 200
    told = requests.post(f"{busy.url}/models/slow/try", files={"0.steps": (None, "1")}, timeout=60)
    assert (told.status_code, told.headers["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert "slow could not answer: " in told.text
    assert requests.get(f"{busy.url}/health/ready", timeout=60).status_code == 200
    assert sum(each.done() for each in calls) == 5, "the slow calls were not under way any more: a longer one is needed"
    assert [each.result().status_code for each in calls].count(200) == 3
    shed = re.findall(r"model=slow .* outcome=Overloaded .* peer=127\.0\.0\.1$", busy.logged(), re.MULTILINE)
    assert len(shed) == 5 + 1, "the messages, and the form"


# Deadlines


def test_late_answer_is_deadline_exceeded_while_the_model_still_works(busy: Server, pool: ThreadPoolExecutor) -> None:
    response = call(busy, LONG, X_Deadline_Ms="200")
    fields = detail(response, "DeadlineExceeded")
    assert (fields["code"], fields["deadlineSeconds"]) == ("deadline-exceeded", "0.2")
    # The run goes on, and counts: the model's one place is free only when it ends.
    assert detail(call(busy, 1, X_Deadline_Ms="100"), "DeadlineExceeded")
    assert call(busy, 1).status_code == 200


def test_call_that_waits_past_its_deadline_is_not_started(busy: Server, pool: ThreadPoolExecutor) -> None:
    first = pool.submit(call, busy, LONG)
    until(lambda: pool.submit(call, busy, 1, X_Deadline_Ms="100").result().status_code == 500)
    waiting = call(busy, LONG, X_Deadline_Ms="100")
    assert detail(waiting, "DeadlineExceeded")["deadlineSeconds"] == "0.1"
    assert not first.done(), "the first call ended too soon: a longer one is needed"
    assert first.result().status_code == 200
    assert call(busy, 1).status_code == 200  # at once: no late call runs


@pytest.mark.parametrize("deadline", ["0", "-1", "1.5", "soon", "9" * 20])
def test_deadline_that_is_none_is_400(busy: Server, deadline: str) -> None:
    response = call(busy, 1, X_Deadline_Ms=deadline)
    assert response.status_code == 400
    assert "X-Deadline-Ms" in response.text


def test_deadline_of_a_model_holds_without_a_header(slow_models: Path, tmp_path: Path) -> None:
    shutil.copytree(slow_models, tmp_path / "models")
    manifest = tmp_path / "models/slow/1/model.yaml"
    content = yaml.safe_load(manifest.read_text())
    content["limits"]["deadline_s"] = 0.3
    manifest.write_text(yaml.safe_dump(content))
    with serving(tmp_path / "models", tmp_path / "server.log") as server:
        assert detail(call(server, LONG), "DeadlineExceeded")["deadlineSeconds"] == "0.3"


# A full server


def test_full_server_answers_503_before_it_reads(slow_models: Path, tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with serving(slow_models, tmp_path / "server.log", "--max-waiting-requests", "1") as server:
        calls = [pool.submit(call, server, LONG)]
        until(lambda: pool.submit(call, server, LONG, X_Deadline_Ms="50").result().status_code in (500, 503))
        calls += [pool.submit(call, server, LONG) for _ in range(3)]
        until(lambda: any(each.done() for each in calls))
        full = next(each.result() for each in calls if each.done())
        assert full.status_code == 503
        assert full.headers["Retry-After"] == "1"
        assert "<faultcode>soap:Server</faultcode>" in full.text
        assert {each.result().status_code for each in calls} <= {200, 503}
        assert has_refusal(server, 503, full.headers["X-Request-Id"], "slow")


# Slow and hostile peers


def connect(server: Server) -> socket.socket:
    parts = urlsplit(server.url)
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=60)


def answer(connection: socket.socket) -> bytes:
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


def request_id_in(answered: bytes) -> str:
    found = re.search(rb"x-request-id: (\S+)", answered, re.IGNORECASE)
    assert found, answered
    return found[1].decode()


def has_refusal(server: Server, status: int, request_id: str, model: str) -> bool:
    """Whether the log has a line for a request that was refused before it was a call."""
    line = (
        rf"soapsvc\.calls request={request_id} model={model} version=- operation=- outcome=http-{status} ms=\S+ in=0 "
    )
    return bool(re.search(line + r"out=\d+ peer=127\.0\.0\.1$", server.logged(), re.MULTILINE))


def test_headers_that_do_not_come_are_408(busy: Server) -> None:
    with connect(busy) as connection:
        connection.sendall(b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\n")
        late = answer(connection)
    assert re.match(rb"HTTP/1\.[01] 408 ", late)
    assert has_refusal(busy, 408, request_id_in(late), "-")


def test_body_that_does_not_come_is_408(busy: Server) -> None:
    head = b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<"
    with connect(busy) as connection:
        connection.sendall(head)
        late = answer(connection)
    assert re.match(rb"HTTP/1\.[01] 408 ", late)
    assert has_refusal(busy, 408, request_id_in(late), "iris")


def test_content_length_beside_transfer_encoding_is_400(busy: Server) -> None:
    head = b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    with connect(busy) as connection:
        connection.sendall(head)
        assert answer(connection).startswith(b"HTTP/1.1 400 ")


def test_500_drippers_do_not_keep_a_good_client_waiting(slow_models: Path, tmp_path: Path) -> None:
    with serving(slow_models, tmp_path / "server.log") as server:
        drippers = [connect(server) for _ in range(500)]
        try:
            for _ in range(3):
                for number, each in enumerate(drippers):
                    each.sendall(b"P" if number % 2 else b"POST /soap/iris/v1 HTTP/1.1\r\nX: ")
                assert iris(server).status_code == 200
        finally:
            for each in drippers:
                each.close()
        assert iris(server).status_code == 200
        assert "Traceback" not in server.logged()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (f"<predict>{'<a/>' * 10_001}</predict>", "more than 10000 children"),
        (f"<predict><item/>{'<a/>' * 1_000_000}</predict>", "items may be 1000000"),
        (f"<predict {' '.join(f'a{number}=' + chr(34) * 2 for number in range(65))}/>", "more than 64 attributes"),
    ],
)
def test_what_is_too_wide_is_a_client_fault(busy: Server, body: str, told: str) -> None:
    response = requests.post(f"{busy.url}/soap/iris/v1", envelope(body), headers=HEADERS, timeout=120)
    assert response.status_code == 500
    assert "<faultcode>soap:Client</faultcode>" in response.text
    assert told in response.text


# Stop


def stop(server: Server) -> None:
    server.process.send_signal(signal.SIGTERM)


def test_stop_lets_calls_end_and_their_answers_be_taken(
    slow_models: Path, tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    batch = f"<instances>{f'<item>{FLOWER}</item>' * 1000}</instances>"
    large = envelope(f'<predictBatch xmlns="urn:soapsvc:iris:v1">{batch}</predictBatch>')
    with serving(slow_models, tmp_path / "server.log") as server:

        def flowers() -> requests.Response:
            return requests.post(f"{server.url}/soap/iris/v1", large, headers=HEADERS, timeout=120)

        running: list[Future[requests.Response]] = [pool.submit(call, server, LONG)]
        until(lambda: call(server, 1, X_Deadline_Ms="50").status_code == 500)  # it is under way
        running += [pool.submit(flowers) for _ in range(4)]
        until(lambda: any(each.done() for each in running[1:]))
        stop(server)
        assert server.process.wait(timeout=120) == 0
        answers = [each.result() for each in running]
    assert [each.status_code for each in answers] == [200] * 5
    assert all(each.content.endswith(b"</soap:Envelope>") for each in answers)
    with pytest.raises(requests.ConnectionError):
        iris(server)


def test_stop_is_first_not_ready_then_deaf(slow_models: Path, tmp_path: Path) -> None:
    with serving(slow_models, tmp_path / "server.log", "--drain-delay-s", "5") as server:
        session = requests.Session()
        assert session.get(f"{server.url}/health/ready", timeout=60).status_code == 200
        stop(server)
        until(lambda: session.get(f"{server.url}/health/ready", timeout=60).status_code == 503)
        assert iris(server).status_code == 200  # it still answers who comes
        assert server.process.wait(timeout=120) == 0


def test_stop_does_not_wait_for_calls_for_ever(slow_models: Path, tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with serving(slow_models, tmp_path / "server.log", "--drain-timeout-s", "0.5") as server:
        lost = pool.submit(call, server, 20 * LONG)
        until(lambda: call(server, 1, X_Deadline_Ms="50").status_code == 500)
        stop(server)
        assert server.process.wait(timeout=60) == 0
        with pytest.raises(requests.ConnectionError):
            lost.result()
    assert "calls took longer than 0.5 s" in server.logged()
