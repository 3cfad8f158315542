"""Attachments and gzip over real HTTP: large ones, chunked ones, over the limit, and who is answered how."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
import requests
from lxml import etree
from PIL import Image

from soapsvc.soap.ns import SoapVersion
from tests.conftest import ROOT, Server, serving
from tests.soap.conftest import envelope
from tests.soap.messages import INFERENCE
from tests.soap.packages import Part, content_type, include, opened, package, root

SOAP11 = SoapVersion.SOAP11
XML_LIMIT, MTOM_LIMIT = 16 * 1024**2, 64 * 1024**2
FLOWERS = np.random.default_rng(1).uniform(0.1, 7, (1000, 4)).astype("<f4")


def post(url: str, body: object, **headers: str) -> requests.Response:
    named = {"Content-Type": content_type(), "Accept": "text/xml", "Accept-Encoding": "identity"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(url, data=body, headers=named, timeout=120)  # type: ignore[arg-type]


def picture(noise: int) -> bytes:
    """Return a PNG of noise, noise x noise x 3 bytes and a little more, for it can't be compressed."""
    pixels = np.random.default_rng(noise).integers(0, 256, (noise, noise, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=0)
    return file.getvalue()


def digits(content: bytes) -> bytes:
    body = f'<predict xmlns="urn:soapsvc:digits:v1"><image>{include("image")}</image></predict>'
    return package([root(envelope(body)), Part("image", content)])


def inference(flowers: np.ndarray) -> bytes:
    shape = "".join(f"<item>{size}</item>" for size in flowers.shape)
    tensor = f"<dtype>float32</dtype><shape>{shape}</shape><content>{include('flowers')}</content>"
    inputs = f"<item><name>features</name><tensor>{tensor}</tensor></item>"
    body = f'<predict xmlns="{INFERENCE}"><modelName>iris</modelName><inputs>{inputs}</inputs></predict>'
    return package([root(envelope(body)), Part("flowers", flowers.tobytes())])


def chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 100_000):
        yield body[start : start + 100_000]


def text_of(response: requests.Response) -> str:
    return "".join(str(text) for text in etree.fromstring(response.content).itertext())


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that never attaches nor compresses."""
    log = tmp_path_factory.mktemp("strict") / "server.log"
    with serving(ROOT / "models", log, "--mtom", "never", "--gzip", "never") as running:
        yield running


def test_picture_over_the_limit_for_xml_is_read_as_attachment(server: Server) -> None:
    body = digits(picture(2_500))
    assert len(body) > XML_LIMIT
    response = post(f"{server.url}/soap/digits/v1", body)
    assert response.status_code == 200
    assert "<label>" in response.text


@pytest.mark.parametrize("chunked", [False, True])
def test_tensor_goes_and_comes_as_attachment(server: Server, chunked: bool) -> None:
    body = inference(FLOWERS)
    response = post(f"{server.url}/soap/inference/v1", chunks(body) if chunked else body)
    assert response.status_code == 200, response.text
    parts = opened(response.headers["Content-Type"], response.content)
    assert b"probabilities" in parts.pop("")
    scores = np.frombuffer(next(iter(parts.values())), "<f4").reshape(-1, 3)
    assert scores.shape == (len(FLOWERS), 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-4)


def test_log_counts_what_the_client_sent(server: Server) -> None:
    body = digits(picture(300))
    assert post(f"{server.url}/soap/digits/v1", body, X_Request_Id="counted").status_code == 200
    (line,) = (line for line in server.logged().splitlines() if "request=counted" in line)
    assert f" in={len(body)} " in line


@pytest.mark.parametrize("chunked", [False, True])
def test_message_over_the_limit_for_attachments_is_413(server: Server, chunked: bool) -> None:
    body = digits(bytes(MTOM_LIMIT))
    response = post(f"{server.url}/soap/digits/v1", chunks(body) if chunked else body)
    assert response.status_code == 413
    assert f"larger than {MTOM_LIMIT} bytes" in text_of(response)


def test_plain_message_keeps_its_own_limit(server: Server) -> None:
    response = post(f"{server.url}/soap/digits/v1", b" " * (XML_LIMIT + 1), Content_Type="text/xml")
    assert response.status_code == 413
    assert f"larger than {XML_LIMIT} bytes" in text_of(response)


def plain() -> bytes:
    """Return a request whose tensor comes as base64, and so does its answer."""
    content = base64.b64encode(FLOWERS[:1].tobytes()).decode()
    tensor = f"<dtype>float32</dtype><shape><item>1</item><item>4</item></shape><content>{content}</content>"
    inputs = f"<item><name>features</name><tensor>{tensor}</tensor></item>"
    return envelope(f'<predict xmlns="{INFERENCE}"><modelName>iris</modelName><inputs>{inputs}</inputs></predict>')


def test_plain_request_is_answered_with_attachments_where_they_are_accepted(server: Server) -> None:
    url = f"{server.url}/soap/inference/v1"
    accepted = post(url, plain(), Content_Type="text/xml", Accept="text/xml, multipart/related")
    assert accepted.headers["Content-Type"].startswith("multipart/related")
    assert post(url, plain(), Content_Type="text/xml").headers["Content-Type"] == SOAP11.content_type
    assert post(url, plain(), Content_Type="text/xml", Accept="*/*").headers["Content-Type"] == SOAP11.content_type


def test_server_that_never_attaches_refuses_packages_and_answers_inline(strict: Server) -> None:
    url = f"{strict.url}/soap/inference/v1"
    assert post(url, inference(FLOWERS[:2])).status_code == 415
    answer = post(url, plain(), Content_Type="text/xml", Accept="multipart/related", Accept_Encoding="gzip")
    assert answer.headers["Content-Type"] == SOAP11.content_type
    assert "Vary" not in answer.headers


def batch(count: int) -> bytes:
    flower = "<sepalLength>5.1</sepalLength><sepalWidth>3.5</sepalWidth><petalLength>1.4</petalLength>"
    item = f"<item>{flower}<petalWidth>0.2</petalWidth></item>"
    return envelope(f'<predictBatch xmlns="urn:soapsvc:iris:v1"><instances>{item * count}</instances></predictBatch>')


def test_gzip_goes_both_ways(server: Server) -> None:
    url, headers = f"{server.url}/soap/iris/v1", {"Content_Type": "text/xml"}
    inflated = post(url, batch(100), **headers)
    assert "Content-Encoding" not in inflated.headers
    assert inflated.headers["Vary"] == "Accept-Encoding"
    compressed = post(url, gzip.compress(batch(100)), **headers, Content_Encoding="gzip", Accept_Encoding="gzip")
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert int(compressed.headers["Content-Length"]) < len(inflated.content) / 4
    assert compressed.content == inflated.content


def test_small_answer_is_not_compressed(server: Server) -> None:
    response = post(f"{server.url}/soap/iris/v1", batch(1), Content_Type="text/xml", Accept_Encoding="gzip")
    assert "Content-Encoding" not in response.headers


def test_compressed_package_is_read(server: Server) -> None:
    body = gzip.compress(inference(FLOWERS[:10]))
    response = post(f"{server.url}/soap/inference/v1", body, Content_Encoding="gzip")
    assert response.headers["Content-Type"].startswith("multipart/related")


def test_gzip_bomb_is_413_with_a_fault(server: Server) -> None:
    bomb = gzip.compress(bytes(200_000_000))
    response = post(f"{server.url}/soap/iris/v1", bomb, Content_Type="text/xml", Content_Encoding="gzip")
    assert response.status_code == 413
    assert "100 times its size" in text_of(response)


def test_unknown_coding_is_415_with_a_fault(server: Server) -> None:
    response = post(f"{server.url}/soap/iris/v1", batch(1), Content_Type="text/xml", Content_Encoding="br")
    assert response.status_code == 415
    assert "expected Content-Encoding gzip" in text_of(response)
