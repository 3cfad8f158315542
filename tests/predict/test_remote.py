"""`predict` with a URL: behind TLS and HTTP Basic, and every way in which there is no answer."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from soapsvc.cli import main
from soapsvc.predict import command
from tests.conftest import ROOT, Server

Predict = Callable[..., tuple[int, str, str]]


@pytest.fixture
def predict(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Predict:
    """Return a function that predicts one text at a URL and returns the exit code, output and errors."""
    monkeypatch.delenv(command.PASSWORD, raising=False)

    def run(url: str, *arguments: str) -> tuple[int, str, str]:
        code = main(["predict", url, "--input-text", "Guten Morgen", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@contextmanager
def proxy(server: Server, hidden: str = "", user: bool = False, tls: Path | None = None) -> Iterator[str]:
    """Run a proxy in front of the server until the block ends. hidden: a path below which it answers 404.

    user: ask for ann with the password secret. tls: a file with key and certificate.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._forward("GET", b"")

        def do_POST(self) -> None:
            self._forward("POST", self.rfile.read(int(self.headers["Content-Length"])))

        def _forward(self, method: str, body: bytes) -> None:
            if user and self.headers.get("Authorization") != "Basic YW5uOnNlY3JldA==":
                self._send(401, b"<html>who are you</html>", "text/html")
            elif hidden and self.path.startswith(hidden):
                self._send(404, b"", "text/html")
            else:
                headers = {"Content-Type": self.headers.get("Content-Type", "")}
                reply = requests.request(method, server.url + self.path, data=body, headers=headers, timeout=30)
                self._send(reply.status_code, reply.content, reply.headers["Content-Type"])

        def _send(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Quiet(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing when a client leaves in the middle of TLS's handshake."""

    listener = Quiet(("localhost", 0), Handler)
    if tls is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://localhost:{listener.server_port}"
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate for localhost that it signed itself."""
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    try:
        subprocess.run(
            [*make.split(), "-keyout", path, "-out", path.with_suffix(".crt")], check=True, capture_output=True
        )
    except FileNotFoundError:
        pytest.fail("openssl is missing; run: apt-get install openssl")
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


def best(output: str) -> str:
    label: str = json.loads(output)[0]["probabilities"][0]["label"]
    return label


@pytest.mark.parametrize(
    "path", ["/soap/language/v1", "/soap12/language/v1/?wsdl", "/soap/language/v1/versions/1?WSDL"]
)
def test_address_with_or_without_wsdl_and_pinned(predict: Predict, server: Server, path: str) -> None:
    code, output, _ = predict(server.url + path)
    assert code == 0
    assert best(output) == "de"


def test_certificate_of_its_own_needs_ca(
    predict: Predict, server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", requests.certs.where())
    with proxy(server, tls=certificate) as url:
        code, _, errors = predict(f"{url}/soap/language/v1")
        assert code == 1
        assert "TLS failed" in errors
        assert "give --ca FILE" in errors
        code, output, _ = predict(f"{url}/soap/language/v1", "--ca", str(certificate))
        assert code == 0
        assert best(output) == "de"


def test_ca_that_is_no_file_is_told(predict: Predict) -> None:
    assert "--ca: there is no none.pem" in predict("https://localhost/soap/language/v1", "--ca", "none.pem")[2]


def test_user_is_needed_and_its_password_asked_or_read(
    predict: Predict, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy(server, user=True) as url:
        address = f"{url}/soap/language/v1"
        assert "HTTP 401, the server wants a user and a password; give --user NAME" in predict(address)[2]
        monkeypatch.setattr("getpass.getpass", lambda prompt: "wrong")
        assert "HTTP 401" in predict(address, "--user", "ann")[2]
        assert "check --user and its password" in predict(address, "--user", "ann")[2]
        monkeypatch.setattr("getpass.getpass", lambda prompt: "secret")
        assert best(predict(address, "--user", "ann")[1]) == "de"
        monkeypatch.setattr("getpass.getpass", lambda prompt: "wrong")
        monkeypatch.setenv(command.PASSWORD, "secret")
        assert best(predict(address, "--user", "ann")[1]) == "de"


def test_password_in_the_url_is_refused_and_not_shown(predict: Predict) -> None:
    code, _, errors = predict("http://ann:secret@localhost:1/soap/language/v1")
    assert code == 1
    assert "give --user NAME" in errors
    assert "secret" not in errors


def test_generic_service_that_is_hidden_is_needed_for_tensors_only(predict: Predict, server: Server) -> None:
    with proxy(server, hidden="/soap/inference") as url:
        assert best(predict(f"{url}/soap/language/v1")[1]) == "de"
        assert "the dtype of grid stands in no WSDL" in predict(f"{url}/soap/kinds/v1")[2]


def test_server_that_is_not_there_is_told(predict: Predict) -> None:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    code, _, errors = predict(f"http://localhost:{port}/soap/language/v1")
    assert code == 1
    assert errors == (
        f"soapsvc: http://localhost:{port}/soap/language/v1: the server can't be reached: Connection refused\n"
    )


def test_server_that_never_answers_is_told(predict: Predict) -> None:
    with socket.create_server(("localhost", 0)) as silent:
        url = f"http://localhost:{silent.getsockname()[1]}/soap/language/v1"
        code, _, errors = predict(url, "--timeout", "0.2")
    assert code == 1
    assert "no answer within 0.2 s; wait longer with --timeout" in errors


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/", "expected the WSDL of a model, found something else"),
        ("/soap/nothing/v1", "HTTP 404; expected a service, as http://host:8080/soap/iris/v1"),
        ("/soap/language/v1/versions/9", "language has no version 9; available are 1"),
        ("/soap/inference/v1", "expected a model's service, with predict and predictBatch"),
    ],
)
def test_address_of_something_else_is_told(predict: Predict, server: Server, path: str, message: str) -> None:
    code, output, errors = predict(server.url + path)
    assert (code, output) == (1, "")
    assert message in errors


def test_without_zeep_the_extra_is_named() -> None:
    code = "import sys; sys.modules['zeep'] = None; from soapsvc.cli import main; sys.exit(main(sys.argv[1:]))"
    arguments = ["predict", "http://localhost:1/soap/language/v1", "--input-text", "x"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "a URL needs zeep; install it with: pip install 'soapsvc[client]'" in done.stderr
