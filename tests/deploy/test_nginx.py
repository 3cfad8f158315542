"""nginx in front of the server, as deploy/nginx has it: certificates, limits, headers, and faults of its own."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from lxml import etree

from soapsvc.settings import Settings
from soapsvc.soap.ns import SoapVersion
from tests.conftest import ROOT, Server, serving, until
from tests.deploy.proxy import Nginx, nginx
from tests.soap.conftest import envelope
from tests.soap.packages import content_type
from tests.transport.test_exchange import XML_LIMIT, digits, picture
from tests.transport.test_overload import FLOWER, HEADERS, IRIS

VERSIONS = {"soap": SoapVersion.SOAP11, "soap12": SoapVersion.SOAP12}
CONFIGURATION = (ROOT / "deploy/nginx/soapsvc.conf").read_text()


class EchoHandler(BaseHTTPRequestHandler):
    """Answers the headers that it received, as JSON."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that believes its proxy."""
    log = tmp_path_factory.mktemp("behind") / "server.log"
    with serving(ROOT / "models", log, "--trusted-proxies", "127.0.0.1") as server:
        yield server


@pytest.fixture(scope="module")
def proxy(behind: Server, pem: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """nginx in front of it."""
    port = urlsplit(behind.url).port
    assert port is not None
    with nginx(tmp_path_factory.mktemp("nginx"), pem, port) as running:
        yield running


@pytest.fixture
def echoed(pem: Path, tmp_path: Path) -> Iterator[Nginx]:
    """nginx in front of what answers the headers that it receives."""
    with HTTPServer(("127.0.0.1", 0), EchoHandler) as echo:
        thread = threading.Thread(target=echo.serve_forever)
        thread.start()
        with nginx(tmp_path, pem, echo.server_port) as running:
            yield running
        echo.shutdown()
        thread.join()


def fault_of(response: requests.Response, soap: SoapVersion) -> tuple[str, str]:
    """Return code and text of a fault, checked to be one in its SOAP version and of its media type."""
    assert response.headers["Content-Type"] == soap.content_type
    root = etree.fromstring(response.content)
    assert root.tag == f"{{{soap.envelope}}}Envelope"
    fault = root.find(".//{*}Fault")
    assert fault is not None
    code, text = list(fault.iterfind("*"))[:2]
    return "".join(code.itertext()).strip(), "".join(text.itertext()).strip()


@pytest.mark.parametrize("path", VERSIONS)
@pytest.mark.parametrize("certificate", [None, "stranger.pem"])
def test_client_without_a_certificate_of_the_authority_gets_a_fault(
    proxy: Nginx, certificate: str | None, path: str
) -> None:
    with proxy.session(certificate) as client:
        answer = client.post(f"{proxy.url}/{path}/iris/v1", IRIS, headers=HEADERS, timeout=60)
    assert answer.status_code == 403
    code, text = fault_of(answer, VERSIONS[path])
    assert code.split(":")[1] in {"Client", "Sender"}
    assert text == "expected a client certificate of a known authority"


def test_client_with_a_certificate_is_answered_and_named_in_the_log(proxy: Nginx) -> None:
    headers = HEADERS | {"X-Request-Id": "named-in-the-log"}
    with proxy.session() as client:
        answer = client.post(f"{proxy.url}/soap/iris/v1", IRIS, headers=headers, timeout=60)
        assert (answer.status_code, "setosa" in answer.text) == (200, True)
    log = proxy.folder / "access.log"
    until(lambda: "named-in-the-log" in log.read_text())  # nginx writes once it has answered
    (line,) = [line for line in log.read_text().splitlines() if "named-in-the-log" in line]
    assert "CN=billing" in line


@pytest.mark.parametrize(
    ("version", "accepted"),
    [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_tls_begins_at_1_2(proxy: Nginx, version: ssl.TLSVersion, accepted: bool) -> None:
    context = ssl.create_default_context(cafile=str(proxy.pem / "ca.pem"))
    context.load_cert_chain(proxy.pem / "client.pem")
    context.set_ciphers("ALL:@SECLEVEL=0")  # the client's own library would not let it try
    context.minimum_version = context.maximum_version = version
    address = urlsplit(proxy.url)
    with socket.create_connection(("127.0.0.1", address.port or 0), timeout=60) as plain:
        if accepted:
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                assert secured.version() == version.name.replace("_", ".")
        else:
            with pytest.raises(ssl.SSLError):
                context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize("path", VERSIONS)
def test_wsdl_names_the_address_outside(proxy: Nginx, path: str) -> None:
    service = f"{proxy.url}/{path}/iris/v1"
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil", "Forwarded": "host=evil.example"}
    with proxy.session() as client:
        wsdl = client.get(f"{service}?wsdl", headers=forged, timeout=60).content
    address = etree.fromstring(wsdl).find(f".//{{{VERSIONS[path].wsdl}}}address")
    assert address is not None
    assert address.get("location") == service


@pytest.mark.parametrize("path", ["/", "/metrics", "/health/ready", "/health/models", "/soap"])
def test_pages_of_the_operator_are_not_reached(proxy: Nginx, path: str) -> None:
    with proxy.session() as client:
        assert client.get(f"{proxy.url}{path}", timeout=60).status_code == 404


def test_attachment_over_the_limit_for_xml_passes(proxy: Nginx) -> None:
    body = digits(picture(2_500))
    assert len(body) > XML_LIMIT
    with proxy.session() as client:
        headers = {"Content-Type": content_type(), "Accept": "text/xml"}
        answer = client.post(f"{proxy.url}/soap/digits/v1", body, headers=headers, timeout=120)
    assert answer.status_code == 200
    assert "<label>" in answer.text


def test_gzip_passes_both_ways(proxy: Nginx) -> None:
    rows = f"<item>{FLOWER}</item>" * 100
    body = envelope(f'<predictBatch xmlns="urn:soapsvc:iris:v1"><instances>{rows}</instances></predictBatch>')
    headers = HEADERS | {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
    with proxy.session() as client:
        answer = client.post(f"{proxy.url}/soap/iris/v1", gzip.compress(body), headers=headers, timeout=60)
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")
    assert answer.text.count("<modelVersion>") == 100


@pytest.mark.parametrize("path", VERSIONS)
def test_body_over_the_limit_gets_a_fault_before_it_is_sent(proxy: Nginx, path: str) -> None:
    limit = Settings.model_fields["max_mtom_bytes"].default
    context = ssl.create_default_context(cafile=str(proxy.pem / "ca.pem"))
    context.load_cert_chain(proxy.pem / "client.pem")
    connection = HTTPSConnection("localhost", urlsplit(proxy.url).port, context=context, timeout=60)
    connection.putrequest("POST", f"/{path}/iris/v1")
    connection.putheader("Content-Type", "text/xml")
    connection.putheader("Content-Length", str(limit + 1))
    connection.endheaders()
    raw = connection.getresponse()
    answer = requests.Response()
    answer.status_code, answer._content = raw.status, raw.read()
    answer.headers.update(raw.headers.items())
    connection.close()
    assert answer.status_code == 413
    code, text = fault_of(answer, VERSIONS[path])
    assert code.split(":")[1] in {"Client", "Sender"}
    assert text == f"the message is larger than {limit} bytes"


@pytest.mark.parametrize("path", VERSIONS)
def test_server_that_is_down_is_told_by_a_fault_with_retry_after(pem: Path, tmp_path: Path, path: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with nginx(tmp_path, pem, port) as down, down.session() as client:
        answer = client.post(f"{down.url}/{path}/iris/v1", IRIS, headers=HEADERS, timeout=60)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    code, text = fault_of(answer, VERSIONS[path])
    assert code.split(":")[1] in {"Server", "Receiver"}
    assert text == "Service Unavailable"


def test_faults_of_the_server_pass_as_they_are(proxy: Nginx, behind: Server) -> None:
    body = envelope('<predict xmlns="urn:soapsvc:iris:v1"/>')
    headers = HEADERS | {"X-Request-Id": "the-same"}
    with proxy.session() as client:
        answer = client.post(f"{proxy.url}/soap/iris/v1", body, headers=headers, timeout=60)
    direct = requests.post(f"{behind.url}/soap/iris/v1", body, headers=headers, timeout=60)
    assert (answer.status_code, answer.content) == (direct.status_code, direct.content)
    assert "Retry-After" not in answer.headers


def test_server_is_told_who_calls_and_no_client_can_say_it_itself(echoed: Nginx) -> None:
    names = (
        "X-Client-DN", "X_Client_DN", "X-Forwarded-For", "X_Forwarded_For", "X-Forwarded-Proto", "X-Forwarded-Host",
        "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-By", "Forwarded",
    )  # fmt: skip
    forged = dict.fromkeys(names, "forged")
    with echoed.session() as client:
        told = client.post(f"{echoed.url}/soap/iris/v1", IRIS, headers=HEADERS | forged, timeout=60).json()
    assert "forged" not in told.values()
    assert "CN=billing" in told["x-client-dn"]
    outside = urlsplit(echoed.url)
    forwarded = {name: value for name, value in told.items() if "forwarded" in name}
    assert forwarded == {
        "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https", "x-forwarded-host": "localhost",
        "x-forwarded-port": str(outside.port),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("directive", "setting", "unit"),
    [
        ("client_max_body_size", "max_mtom_bytes", 1024**2),
        ("client_header_timeout", "header_timeout_s", 1),
        ("client_body_timeout", "request_timeout_s", 1),
        ("proxy_send_timeout", "request_timeout_s", 1),
    ],
)
def test_limit_is_in_line_with_the_setting(directive: str, setting: str, unit: int) -> None:
    found = re.search(rf"^\s*{directive} (\d+)[ms];", CONFIGURATION, re.MULTILINE)
    assert found
    assert int(found[1]) * unit == Settings.model_fields[setting].default
