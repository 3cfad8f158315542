"""Headers of proxies: believed from the peers that are named in the settings, and from nobody else."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from soapsvc.settings import SettingsError, read_settings
from soapsvc.transport.forwarded import Origin, TrustedProxies
from tests.conftest import ROOT, Server, serving
from tests.transport.test_server import IRIS, envelope
from tests.transport.test_server import SOAP as VERSIONS

NETWORKS = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]
HOST = {"X-Forwarded-Host": "ml.example.com"}


def origin(peer: str, headers: dict[str, str]) -> Origin:
    named = {name.upper().replace("-", "_"): value for name, value in headers.items()}
    return TrustedProxies(NETWORKS, tell_address=True).origin(peer, lambda name: named.get(name, ""))


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("10.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, "192.0.2.7"),
        ("::ffff:10.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, "192.0.2.7"),
        ("2001:db8::1", {"X-Forwarded-For": "2001:0DB9::0001"}, "2001:db9::1"),
        ("192.0.2.1", {"X-Forwarded-For": "192.0.2.7"}, "192.0.2.1"),
        ("192.0.2.1", {"Forwarded": "for=192.0.2.7"}, "192.0.2.1"),
        ("10.0.0.1", {"X-Forwarded-For": "6.6.6.6, 192.0.2.7, 10.0.0.2"}, "192.0.2.7"),
        ("10.0.0.1", {"X-Forwarded-For": "10.0.0.3, 10.0.0.2"}, "10.0.0.3"),
        ("10.0.0.1", {"X-Forwarded-For": "192.0.2.7, unknown"}, "10.0.0.1"),
        ("10.0.0.1", {"X-Forwarded-For": "192.0.2.7\\n model=x"}, "10.0.0.1"),
        ("10.0.0.1", {"X-Forwarded-For": "192.0.2.7:4711"}, "192.0.2.7"),
        ("10.0.0.1", {"X-Forwarded-For": ""}, "10.0.0.1"),
        ("10.0.0.1", {"Forwarded": 'for="[2001:db9::17]:4711";proto=https'}, "2001:db9::17"),
        ("10.0.0.1", {"Forwarded": "for=6.6.6.6, FOR=192.0.2.7;by=10.0.0.1"}, "192.0.2.7"),
        ("10.0.0.1", {"Forwarded": "for=_hidden"}, "10.0.0.1"),
        ("10.0.0.1", {"Forwarded": "for=192.0.2.7 nonsense"}, "10.0.0.1"),
        ("10.0.0.1", {"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=6.6.6.6"}, "192.0.2.7"),
        ("", {"X-Forwarded-For": "192.0.2.7"}, ""),
    ],
)
def test_caller_is_the_nearest_who_is_no_trusted_proxy(peer: str, headers: dict[str, str], expected: str) -> None:
    assert origin(peer, headers).peer == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (HOST, "http://ml.example.com"),
        (HOST | {"X-Forwarded-Proto": "https"}, "https://ml.example.com"),
        (HOST | {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "8443"}, "https://ml.example.com:8443"),
        (HOST | {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}, "https://ml.example.com"),
        (HOST | {"X-Forwarded-Prefix": "/models/v2/"}, "http://ml.example.com/models/v2"),
        ({"X-Forwarded-Host": "ML.example.com:8080", "X-Forwarded-Port": "80"}, "http://ml.example.com:8080"),
        ({"X-Forwarded-Host": "[2001:db8::1]:81"}, "http://[2001:db8::1]:81"),
        ({"X-Forwarded-Host": "attacker.example, ml.example.com"}, "http://ml.example.com"),
        ({"Forwarded": 'host="ml.example.com:8443";proto=HTTPS'}, "https://ml.example.com:8443"),
        ({"Forwarded": "host=attacker.example, for=1.1.1.1;host=ml.example.com"}, "http://ml.example.com"),
        (
            {"X-Forwarded-For": "1.1.1.1, 10.0.0.2", "X-Forwarded-Host": "evil.example, ml.example.com, inner"},
            "http://ml.example.com",
        ),
        ({"X-Forwarded-Proto": "https"}, None),
        ({"X-Forwarded-Host": "-bad-.example"}, None),
        ({"X-Forwarded-Host": "ml.example.com/x?y"}, None),
        ({"X-Forwarded-Host": "user@ml.example.com"}, None),
        ({"X-Forwarded-Host": 'a"b'}, None),
        ({"X-Forwarded-Host": "<script>"}, None),
        ({"X-Forwarded-Host": "ml.example.com:0"}, None),
        ({"X-Forwarded-Host": "ml.example.com:99999"}, None),
        ({"X-Forwarded-Host": "[::zz]"}, None),
        ({"X-Forwarded-Host": "a" * 64}, None),
        ({"X-Forwarded-Host": ".".join(["abcdefgh"] * 40)}, None),
        (HOST | {"X-Forwarded-Proto": "javascript"}, None),
        (HOST | {"X-Forwarded-Port": "8443x"}, None),
        (HOST | {"X-Forwarded-Prefix": "/a/../b"}, None),
        (HOST | {"X-Forwarded-Prefix": "//evil.example"}, None),
        (HOST | {"X-Forwarded-Prefix": '/a"b'}, None),
    ],
)
def test_address_is_what_the_proxy_told_if_it_is_one(headers: dict[str, str], expected: str | None) -> None:
    assert origin("10.0.0.1", headers).base_url == expected
    assert origin("192.0.2.1", headers).base_url is None


@pytest.mark.parametrize("given", ["10.0.0.1/8", "proxy.example.com", "*"])
def test_proxy_that_is_no_address_stops_the_start(given: str) -> None:
    with pytest.raises(SettingsError, match=r"trusted_proxies.0: .*network \(received"):
        read_settings(["--trusted-proxies", given])


# A real server, reached from 127.0.0.1, which is trusted, and from 127.0.0.2, which is not

TRUSTING = ("--trusted-proxies", "127.0.0.1,10.0.0.0/8")
TOLD = {
    "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "ml.example.com",
    "X-Forwarded-Prefix": "/ml", "X-Forwarded-Port": "8443",
}  # fmt: skip
STANDARD = {"Forwarded": 'for=192.0.2.7;proto=https;host="ml.example.com:8443"'}


@pytest.fixture(scope="module", params=["waitress", "granian"])
def trusting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("trusting") / "server.log"
    with serving(ROOT / "models", log, *TRUSTING, "--server", request.param) as running:
        yield running


def ask(server: Server, source: str, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Return the body of an answer. source: the address of this machine to call from."""
    parts = urlsplit(server.url)
    connection = HTTPConnection("127.0.0.1", parts.port, timeout=60, source_address=(source, 0))
    connection.request(method, path, body, headers)
    content = connection.getresponse().read()
    connection.close()
    return content


def logged_peer(server: Server, request_id: str) -> str:
    found = re.search(rf"request={request_id} .* peer=(\S+)$", server.logged(), re.MULTILINE)
    assert found, server.logged()
    return found[1]


@pytest.mark.parametrize("headers", [TOLD, STANDARD], ids=["X-Forwarded", "Forwarded"])
@pytest.mark.parametrize(
    ("source", "peer", "told"), [("127.0.0.1", "192.0.2.7", True), ("127.0.0.2", "127.0.0.2", False)]
)
def test_headers_count_from_the_trusted_peer_only(
    trusting: Server, headers: dict[str, str], source: str, peer: str, told: bool
) -> None:
    wsdl = ask(trusting, source, "GET", "/soap/iris/v1?wsdl", **headers)
    assert (b'location="https://ml.example.com:8443' in wsdl) is told
    assert (b"example.com" in wsdl) is told
    request_id = f"{source}-{len(headers)}"
    call = {"Content-Type": "text/xml", "X-Request-Id": request_id}
    assert b"setosa" in ask(trusting, source, "POST", "/soap/iris/v1", envelope(IRIS, VERSIONS[0]), **headers, **call)
    assert logged_peer(trusting, request_id) == peer


def test_header_with_underscores_is_none_of_a_proxy(trusting: Server) -> None:
    wsdl = ask(trusting, "127.0.0.1", "GET", "/soap/iris/v1?wsdl", X_Forwarded_Host="attacker.example")
    assert b"example" not in wsdl
    told = {"X_Forwarded_For": "192.0.2.9", "X-Request-Id": "underscores"}
    ask(trusting, "127.0.0.1", "GET", "/soap/iris/v1?wsdl", **told)
    assert logged_peer(trusting, "underscores") == "127.0.0.1"


def test_next_reader_gets_the_configured_address_again(trusting: Server) -> None:
    ask(trusting, "127.0.0.1", "GET", "/soap/iris/v1?wsdl", **TOLD)
    assert f'location="{trusting.url}/soap/iris/v1"'.encode() in ask(
        trusting, "127.0.0.1", "GET", "/soap/iris/v1?wsdl", Host="attacker.example"
    )


def test_without_proxies_nothing_of_the_headers_is_believed(server: Server) -> None:
    wsdl = ask(server, "127.0.0.1", "GET", "/soap/iris/v1?wsdl", **TOLD, **STANDARD, Host="attacker.example")
    assert b"example" not in wsdl
    ask(server, "127.0.0.1", "GET", "/soap/iris/v1?wsdl", **TOLD, **{"X-Request-Id": "not-believed"})
    assert logged_peer(server, "not-believed") == "127.0.0.1"


def test_public_url_wins_over_what_a_proxy_tells(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = (*TRUSTING, "--public-url", "https://public.example.org", "--port", str(port))
    with serving(ROOT / "models", tmp_path / "server.log", *arguments) as running:
        reached = replace(running, url=f"http://127.0.0.1:{port}")  # the banner names the public one
        wsdl = ask(reached, "127.0.0.1", "GET", "/soap/iris/v1?wsdl", **TOLD, **{"X-Request-Id": "public"})
    assert b'location="https://public.example.org/soap/iris/v1"' in wsdl
    assert b"ml.example.com" not in wsdl
    assert logged_peer(reached, "public") == "192.0.2.7"
