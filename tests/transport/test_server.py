"""A real server over real HTTP: what never reaches an operation, the other addresses, and the log."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

import pytest
import requests
from lxml import etree

from soapsvc.soap.ns import SoapVersion
from tests.conftest import Server

SOAP = list(SoapVersion)
LIMIT = 16 * 1024**2
IRIS = """<predict xmlns="urn:soapsvc:iris:v1"><sepalLength>5.1</sepalLength><sepalWidth>3.5</sepalWidth>
<petalLength>1.4</petalLength><petalWidth>0.2</petalWidth></predict>"""


def envelope(body: str, soap: SoapVersion) -> bytes:
    return f'<s:Envelope xmlns:s="{soap.envelope}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def address(server: Server, soap: SoapVersion, model: str = "iris") -> str:
    return f"{server.url}/{soap.path}/{model}/v1"


def assert_fault(response: requests.Response, soap: SoapVersion, status: int) -> str:
    """Check that a response is a fault of a SOAP version, and return its text."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == soap.content_type
    assert response.headers["X-Request-Id"]
    root = etree.fromstring(response.content)
    fault = root.find(f"{{{soap.envelope}}}Body/{{{soap.envelope}}}Fault")
    assert fault is not None
    return "".join(str(text) for text in fault.itertext())


def post(url: str, content: object, **headers: str | None) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(url, data=content, headers=named, timeout=60)  # type: ignore[arg-type]


@pytest.mark.parametrize("soap", SOAP)
def test_predict_over_http_answers(server: Server, soap: SoapVersion) -> None:
    response = post(address(server, soap), envelope(IRIS, soap), Content_Type=soap.content_type)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == soap.content_type
    assert "<label>setosa</label>" in response.text


@pytest.mark.parametrize("soap", SOAP)
@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/xml", "", "nonsense", "/", "text/xml-x"]
)
def test_other_content_type_is_415_with_a_fault(server: Server, soap: SoapVersion, content_type: str) -> None:
    response = post(address(server, soap), envelope(IRIS, soap), Content_Type=content_type)
    assert_fault(response, soap, 415)


@pytest.mark.parametrize("soap", SOAP)
def test_content_encoding_is_415_with_a_fault(server: Server, soap: SoapVersion) -> None:
    response = post(address(server, soap), b"x", Content_Type=soap.content_type, Content_Encoding="br")
    assert_fault(response, soap, 415)


@pytest.mark.parametrize("soap", SOAP)
def test_empty_post_gets_a_fault(server: Server, soap: SoapVersion) -> None:
    assert_fault(post(address(server, soap), b"", Content_Type=soap.content_type), soap, 500)


@pytest.mark.parametrize("soap", SOAP)
def test_charset_of_the_content_type_counts(server: Server, soap: SoapVersion) -> None:
    text = envelope(IRIS, soap).decode()
    good = post(address(server, soap), text.encode("utf-16"), Content_Type=f"{soap.mime_type}; charset=UTF-16")
    assert good.status_code == 200
    bad = post(address(server, soap), text.encode(), Content_Type=f"{soap.mime_type}; charset=x-unknown")
    assert "charset" in assert_fault(bad, soap, 500)


def test_soap_action_that_names_another_operation_gets_a_fault(server: Server) -> None:
    url, content = address(server, SoapVersion.SOAP11), envelope(IRIS, SoapVersion.SOAP11)
    assert post(url, content, Content_Type="text/xml", SOAPAction='"urn:soapsvc:iris:v1:predict"').status_code == 200
    wrong = post(url, content, Content_Type="text/xml", SOAPAction='"urn:soapsvc:iris:v1:getModelInfo"')
    assert_fault(wrong, SoapVersion.SOAP11, 500)


def test_soap12_action_parameter_that_names_another_operation_gets_a_fault(server: Server) -> None:
    url, content = address(server, SoapVersion.SOAP12), envelope(IRIS, SoapVersion.SOAP12)
    kind = 'application/soap+xml; charset=utf-8; action="urn:soapsvc:iris:v1:{}"'
    assert post(url, content, Content_Type=kind.format("predict")).status_code == 200
    assert_fault(post(url, content, Content_Type=kind.format("getModelInfo")), SoapVersion.SOAP12, 500)


@pytest.mark.parametrize("soap", SOAP)
@pytest.mark.parametrize("size", [LIMIT + 1, LIMIT + 4_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit_is_413_with_a_fault(server: Server, soap: SoapVersion, size: int, chunked: bool) -> None:
    content: object = b" " * size
    if chunked:
        content = (b" " * 65536 for _ in range(size // 65536 + 1))
    response = post(address(server, soap), content, Content_Type=soap.content_type)
    assert str(LIMIT) in assert_fault(response, soap, 413)
    assert f"request={response.headers['X-Request-Id']} model=iris " in server.logged()


@pytest.mark.parametrize("chunked", [False, True])
def test_body_at_the_limit_is_read(server: Server, chunked: bool) -> None:
    message = envelope(IRIS, SoapVersion.SOAP11)
    padded = message + b" " * (LIMIT - len(message))
    content: object = iter([padded[:1000], padded[1000:]]) if chunked else padded
    assert post(address(server, SoapVersion.SOAP11), content, Content_Type="text/xml").status_code == 200


@pytest.mark.parametrize("soap", SOAP)
@pytest.mark.parametrize(
    "path",
    [
        "nothing/v1",
        "iris/v2",
        "iris/v0",
        "iris",
        "iris/v1/versions/x",
        "..%2Firis/v1",
        "inference/v1/versions/1",
        "Iris/v1",
    ],
)
def test_post_where_nothing_stands_is_404_with_a_fault(server: Server, soap: SoapVersion, path: str) -> None:
    assert_fault(post(f"{server.url}/{soap.path}/{path}", b"x", Content_Type=soap.content_type), soap, 404)


@pytest.mark.parametrize("soap", SOAP)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_other_method_is_405_with_a_fault(server: Server, soap: SoapVersion, method: str) -> None:
    response = requests.request(method, address(server, soap), timeout=60)
    assert_fault(response, soap, 405)
    assert response.headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("soap", SOAP)
@pytest.mark.parametrize("query", ["wsdl", "WSDL", "wsdl=1", "singleWsdl&wsdl"])
def test_wsdl_names_the_address_it_was_fetched_from(server: Server, soap: SoapVersion, query: str) -> None:
    response = requests.get(f"{address(server, soap)}?{query}", headers={"Host": "attacker.example"}, timeout=60)
    assert response.status_code == 200
    location = etree.fromstring(response.content).find(f".//{{{soap.wsdl}}}address")
    assert location is not None
    assert location.get("location") == address(server, soap)


def test_pinned_addresses_answer_and_name_themselves(server: Server) -> None:
    pinned = f"{address(server, SoapVersion.SOAP11)}/versions/1"
    assert pinned.encode() in requests.get(f"{pinned}?wsdl", timeout=60).content
    good = post(pinned, envelope(IRIS, SoapVersion.SOAP11), Content_Type="text/xml")
    assert "<modelVersion>1</modelVersion>" in good.text
    missing = pinned.replace("versions/1", "versions/7")
    assert "ModelNotFound" in post(missing, envelope(IRIS, SoapVersion.SOAP11), Content_Type="text/xml").text


@pytest.mark.parametrize(("path", "status"), [("/health/live", 200), ("/health/ready", 200), ("/nothing", 404)])
def test_other_addresses_answer_json(server: Server, path: str, status: int) -> None:
    response = requests.get(server.url + path, timeout=60)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    assert requests.head(server.url + path, timeout=60).content == b""


def test_post_to_a_page_is_405(server: Server) -> None:
    assert post(server.url + "/", b"").status_code == 405


def test_request_id_of_the_caller_is_kept_when_harmless(server: Server) -> None:
    url, content = address(server, SoapVersion.SOAP11), envelope(IRIS, SoapVersion.SOAP11)
    kept = post(url, content, Content_Type="text/xml", X_Request_Id="order-42.a_b")
    assert kept.headers["X-Request-Id"] == "order-42.a_b"
    replaced = post(url, content, Content_Type="text/xml", X_Request_Id="a b<c>")
    assert len(replaced.headers["X-Request-Id"]) == 32


def test_call_is_logged_on_one_line(server: Server) -> None:
    url = address(server, SoapVersion.SOAP11)
    content = envelope(IRIS, SoapVersion.SOAP11)
    answer = post(url, content, Content_Type="text/xml", X_Request_Id="logged-call")
    bad = envelope(IRIS.replace("5.1", "NaN"), SoapVersion.SOAP11)
    post(url, bad, Content_Type="text/xml", X_Request_Id="logged-fault")
    lines = {line.split("request=")[1].split()[0]: line for line in server.logged().splitlines() if "request=" in line}
    expected = f"model=iris version=1 operation=predict outcome=ok ms=.* in={len(content)} out={len(answer.content)}"

    assert re.search(expected, lines["logged-call"])
    assert "outcome=InvalidInput" in lines["logged-fault"]


def exchange(server: Server, raw: bytes) -> bytes:
    """Send bytes as they are and return all that comes back."""
    parts = urlsplit(server.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=60) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Content-Length: abc\r\n\r\n", b"400"),
        (b"Content-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"Transfer-Encoding: gzip\r\n\r\n", b"501"),
        (b"Content-Type: text/xml\r\nX: " + b"x" * 262_100 + b"\r\n\r\n", b"431"),
        (b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", b"413"),
    ],
    ids=["bad length", "bad chunk", "unknown coding", "long header", "expects to send too much"],
)
def test_request_that_the_http_server_refuses_gets_a_fault(server: Server, headers: bytes, status: bytes) -> None:
    answer = exchange(server, b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\n" + headers)
    assert answer.startswith((b"HTTP/1.1 " + status, b"HTTP/1.0 " + status))
    assert b"Content-Type: text/xml" in answer
    assert b":Fault>" in answer


def test_body_of_twice_the_limit_is_read_to_its_end_and_answered(server: Server) -> None:
    """Beyond that the server stops reading, and a client that reads only after it sent may miss the fault."""
    head = b"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n"
    answer = exchange(server, head % (LIMIT * 2) + b" " * (LIMIT * 2))
    assert answer.startswith(b"HTTP/1.1 413")
    assert b":Fault>" in answer


def test_aheadsent_ahead_are_all_answered_in_order(server: Server) -> None:
    body = envelope(IRIS, SoapVersion.SOAP11)
    ahead = [
        f"POST /soap/iris/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n"
        f"X-Request-Id: ahead-{number}\r\n\r\n".encode()
        + body
        for number in range(200)
    ]
    answered = re.findall(rb"X-Request-Id: ahead-(\d+)", exchange(server, b"".join(ahead)))
    assert [int(number) for number in answered] == list(range(200))
