"""Secrets planted wherever a client or an operator can put one, and looked for in all that real servers print."""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
import requests
import trustme

from tests.conftest import ROOT, Server, serving, until
from tests.redis_server import RedisServer
from tests.soap.conftest import envelope
from tests.soap.test_message_log import SECURITY
from tests.transport.talk import Talk
from tests.transport.test_overload import FLOWER, IRIS

SECRET = "PSSST"  # what all that is planted has in common
BASIC = base64.b64encode(f"ada:{SECRET}-basic".encode()).decode()
CREDENTIALS = (f"Basic {BASIC}", f"Bearer {SECRET}-bearer", f"Digest username={SECRET}")
HEADERS = {"Content-Type": "text/xml", "Cookie": f"session={SECRET}-cookie", "X-Api-Key": f"{SECRET}-key"}


@dataclass
class Planted:
    """A running server, and where its secrets stand. hidden: what must be in no line besides SECRET."""

    server: Server
    verify: str | None
    hidden: list[str] = field(default_factory=lambda: [BASIC])

    def post(self, path: str, body: bytes, **headers: str) -> requests.Response:
        named = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(self.server.url + path, body, headers=named, verify=self.verify, timeout=60)

    def raw(self, content: bytes) -> bytes:
        """Return what comes back for bytes that no HTTP client would send."""
        url = urlsplit(self.server.url)
        assert url.hostname is not None
        with socket.create_connection((url.hostname, url.port), timeout=60) as connection:
            connection.sendall(content)
            return connection.recv(65536)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models iris and chat, and two that fail on a sensitive text."""
    folder = tmp_path_factory.mktemp("secrets") / "models"
    for name in ("iris", "chat"):
        shutil.copytree(ROOT / "models" / name, folder / name)
    subprocess.run([sys.executable, "-m", "tests.transport.secret_models", str(folder)], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module", params=["waitress, text", "granian, json"])
def planted(
    request: pytest.FixtureRequest, models: Path, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Planted]:
    """A server that logs all it can, with secrets in its settings."""
    folder = tmp_path_factory.mktemp("planted")
    with redis.Redis.from_url(redis_server.url) as client:
        client.execute_command("ACL", "SETUSER", "keeper", "on", f">{SECRET}-redis", "~*", "&*", "+@all")
    place = redis_server.url.replace("redis://", f"redis://keeper:{SECRET}-redis@")
    under = ("env", f"SOAPSVC_SESSIONS={place}", f"OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20{SECRET}-otlp")
    arguments = ["--message-log", "all", "--log-level", "debug", "--pipeline-code", "shout", "--tracing", "otlp",
                 "--otlp-endpoint", "http://127.0.0.1:9", "--max-request-bytes", "20000"]  # fmt: skip
    server, form = request.param.split(", ")
    arguments += ["--server", server, "--log-format", form]
    verify, hidden = None, [BASIC]
    if server == "granian":
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        issued = authority.issue_cert("localhost")
        issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
        arguments += ["--tls-certificate", str(folder / "server.pem"), "--tls-key", str(folder / "server.pem")]
        verify = str(folder / "ca.pem")
        hidden += [line for line in issued.private_key_pem.bytes().decode().splitlines() if "-----" not in line]
    with serving(models, folder / "log", *arguments, under=under) as running:
        yield Planted(running, verify, hidden)


def text(model: str, value: str) -> bytes:
    return envelope(f'<predict xmlns="urn:soapsvc:{model}:v1"><text>{value}</text></predict>')


def call_with_secrets(planted: Planted) -> dict[str, int]:
    """Make calls of all kinds; return the HTTP status of each."""
    iris, number = "/soap/iris/v1", "/soap/number/v1"
    flower = f'<predict xmlns="urn:soapsvc:iris:v1">{FLOWER}</predict>'
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    answers = {credentials: planted.post(iris, IRIS, Authorization=credentials) for credentials in CREDENTIALS} | {
        "security header": planted.post(iris, envelope(flower, header=SECURITY)),
        "query": planted.post(f"{iris}?token={SECRET}-query", IRIS),
        "query of no service": planted.post(f"/soap/none/v1?token={SECRET}-query", IRIS),
        "query of a page": requests.get(f"{planted.server.url}/?token={SECRET}", verify=planted.verify, timeout=60),
        "good value": planted.post(number, text("number", "17")),
        "refused by the graph": planted.post(number, text("number", f"{SECRET}-graph"), X_Request_Id="refused"),
        "crash": planted.post("/soap/shout/v1", text("shout", f"{SECRET}-crash"), X_Request_Id="crashed"),
        "fault": planted.post(iris, envelope(flower.replace("5.1", "wide")), Authorization=CREDENTIALS[0]),
        "broken XML": planted.post(number, text("number", f"{SECRET}-cut")[:-30]),
        "wrong type": planted.post(number, text("number", SECRET), Content_Type=f"text/plain; token={SECRET}"),
        "too large": planted.post(number, text("number", SECRET * 40_000), X_Request_Id="large"),
        "bad deadline": planted.post(number, text("number", SECRET), X_Deadline_Ms=SECRET),
        "bad trace": planted.post(iris, IRIS, traceparent=SECRET, tracestate=f"a={SECRET}"),
        "bad state": planted.post(iris, IRIS, traceparent=parent, tracestate=SECRET),
        "bad request id": planted.post(iris, IRIS, X_Request_Id=f"{SECRET} of mine"),
    }
    return {name: answer.status_code for name, answer in answers.items()}


def converse(planted: Planted) -> list[str]:
    """Talk as one who has a session and as one who stole its id; return the ids."""
    talk = Talk(planted.server.url, "chat", Authorization=CREDENTIALS[0])
    ids = [talk.say("Hello, my name is Ada").session, talk.say("What is my name?").session]
    stolen = Talk(planted.server.url, "chat", ids[0])
    ids.append(stolen.say("And mine?").session)
    return ids


def logged(planted: Planted) -> str:
    """Return all that the server printed, up to the line of a last call."""
    planted.post("/soap/none/v1", b"", X_Request_Id="last-line")
    until(lambda: "last-line" in planted.server.log.read_text())
    return planted.server.log.read_text()


def test_no_secret_is_in_any_line(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    if planted.verify is not None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", planted.verify)
    found = call_with_secrets(planted)
    assert {name for name, status in found.items() if status == 200} == {
        *CREDENTIALS, "security header", "query", "query of a page", "good value", "bad trace", "bad state",
        "bad request id",
    }  # fmt: skip
    ids = converse(planted)
    assert (ids[0], len(set(ids))) == (ids[1], 2)
    if planted.verify is None:  # what is no HTTP: Granian answers that itself
        head = b"POST /soap/number/v1?token=PSSST HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer PSSST\r\n"
        assert b" 400 " in planted.raw(head + b"Content-Length: PSSST\r\n\r\n")
        assert b" 400 " in planted.raw(head + b"PSSST\x00\r\n\r\n")
    log = logged(planted)
    told = ["soapsvc.messages", "refused", "crashed", "large", "the graph refused an input at y (StringToNumber)",
            "functions.py", "KeyError: ***", "ValueError: ***"]  # fmt: skip
    assert [sign for sign in told if sign not in log] == []
    assert [line for line in log.splitlines() if any(each in line for each in (SECRET, *planted.hidden, *ids))] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOAPSVC_SESSIONS", f"http://ada:{SECRET}@127.0.0.1"),
        ("SOAPSVC_SESSIONS", f"redis://ada:{SECRET}/x@127.0.0.1:6379"),
        ("SOAPSVC_OTLP_ENDPOINT", f"http://ada:{SECRET}@127.0.0.1:4318"),
        ("SOAPSVC_PUBLIC_URL", f"ftp://ada:{SECRET}@127.0.0.1"),
    ],
)
def test_setting_that_can_not_be_used_is_told_without_its_password(name: str, value: str, models: Path) -> None:
    command = ["env", f"{name}={value}", sys.executable, "serve.py", "--models", str(models), "--port", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "expected" in done.stderr
    assert SECRET not in done.stderr + done.stdout
