"""`python -m bench.attachments`: a tensor and a picture as MTOM, base64 and numbers, against a handler that only reads.

Each form goes in turn to our server and to the reader, one connection, one call at a time, so that a busy machine
meets both alike. Memory is by how much a server's resident memory rises at most during one call.
"""

from __future__ import annotations

import argparse
import base64
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection

import numpy as np
from PIL import Image

from bench.attachment_models import MOST, PIXELS
from bench.iris import REPOSITORY
from bench.report import surroundings, table
from bench.subjects import Running, Subject, running

XOP = "http://www.w3.org/2004/08/xop/include"
BOUNDARY = "uuid:7f6a3c51-0d0e-4b7c-9f58-2f5f0f6d8a11"  # as long as those of CXF and WCF
MULTIPART = (
    f'multipart/related; type="application/xop+xml"; boundary="{BOUNDARY}"; start="<root>"; start-info="text/xml"'
)
_HEADINGS = ("message", "bytes sent", "ours ms", "reader ms", "/ reader", "ours MB", "reader MB", "MB / content")


@dataclass(frozen=True)
class Message:
    """One request. content: the bytes of the tensor or picture in it."""

    name: str
    path: str
    content_type: str
    body: bytes
    content: int


def main() -> int:
    """Measure and print; return 0, or 1 when an answer is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.attachments", description=__doc__)
    parser.add_argument("--calls", type=int, default=30, help="calls of each message to each server (default 30)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as models:
        subprocess.run([sys.executable, "-m", "bench.attachment_models", models], cwd=REPOSITORY, check=True)
        ours = ("serve.py", "--host", "127.0.0.1", "--port", "0", "--models", models, "--log-level", "warning")
        subjects = (Subject("ours", ours), Subject("reader", ("-m", "bench.reader_server")))
        with running(subjects) as servers:
            rows = [_row(message, servers[0], servers[1], options.calls) for message in _messages()]
    print(surroundings())
    print()
    print(table(_HEADINGS, rows, options.markdown))
    return 0


def _row(message: Message, ours: Running, reader: Running, calls: int) -> tuple[str, ...]:
    calls = max(3, min(calls, calls * 10_000_000 // len(message.body)))
    ask = [_caller(server, message) for server in (ours, reader)]
    for call in ask * 2:
        call()
    times = [[_seconds(call) for call in ask] for _ in range(calls)]
    mine, floor = (statistics.median(each) * 1000 for each in zip(*times, strict=True))
    rise = [server.peak_rise(call) / 1e6 for server, call in zip((ours, reader), ask, strict=True)]
    return (
        message.name, f"{len(message.body):,}", f"{mine:.2f}", f"{floor:.2f}", f"{mine / floor:.2f}",
        f"{rise[0]:.1f}", f"{rise[1]:.1f}", f"{rise[0] * 1e6 / message.content:.2f}",
    )  # fmt: skip


def _caller(server: Running, message: Message) -> Callable[[], None]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=120)

    def call() -> None:
        connection.request("POST", message.path, message.body, {"Content-Type": message.content_type})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"bench: {message.name}: {server.subject.name} answered {text[:500]!r}")

    return call


def _seconds(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _messages() -> list[Message]:
    pixels = np.random.default_rng(1).random((1, *PIXELS), dtype=np.float32)
    many = np.tile(pixels, (MOST * 5 // 6, 1, 1, 1))
    picture, large = _jpeg(1_060), _jpeg(7_500)
    return [
        _attached("tensor, MTOM", "pixels", pixels.tobytes(), lambda content: _pixels(f"<content>{content}</content>")),
        _inline("tensor, base64", "pixels", pixels.nbytes, _pixels(f"<content>{_base64(pixels.tobytes())}</content>")),
        _inline("tensor, numbers", "pixels", pixels.nbytes, _pixels(f"<doubles>{_numbers(pixels)}</doubles>")),
        _attached("picture, MTOM", "picture", picture, _picture),
        _inline("picture, base64", "picture", len(picture), _picture(_base64(picture))),
        _attached("large tensor, MTOM", "inference", many.tobytes(), lambda content: _generic(len(many), content)),
        _attached("large picture, MTOM", "picture", large, _picture),
    ]


def _jpeg(side: int) -> bytes:
    """Return a JPEG of noise: side 1,060 gives about 1 MB, 7,500 about 50 MB."""
    noise = np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=90)
    return file.getvalue()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _numbers(array: np.ndarray) -> str:
    return "".join(f"<item>{text}</item>" for text in array.ravel().astype(str))


def _tensor(shape: tuple[int, ...], carrier: str) -> str:
    sizes = "".join(f"<item>{size}</item>" for size in shape)
    return f"<dtype>float32</dtype><shape>{sizes}</shape>{carrier}"


def _pixels(carrier: str) -> str:
    return f'<predict xmlns="urn:soapsvc:pixels:v1"><pixels>{_tensor(PIXELS, carrier)}</pixels></predict>'


def _generic(count: int, content: str) -> str:
    tensor = _tensor((count, *PIXELS), f"<content>{content}</content>")
    inputs = f"<inputs><item><name>pixels</name><tensor>{tensor}</tensor></item></inputs>"
    return f'<predict xmlns="urn:soapsvc:inference:v1"><modelName>pixels</modelName>{inputs}</predict>'


def _picture(content: str) -> str:
    return f'<predict xmlns="urn:soapsvc:picture:v1"><picture>{content}</picture></predict>'


def _envelope(body: str) -> bytes:
    namespace = "http://schemas.xmlsoap.org/soap/envelope/"
    return f'<s:Envelope xmlns:s="{namespace}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def _inline(name: str, model: str, content: int, body: str) -> Message:
    return Message(name, f"/soap/{model}/v1", "text/xml; charset=utf-8", _envelope(body), content)


def _attached(name: str, model: str, content: bytes, body: Callable[[str], str]) -> Message:
    envelope = _envelope(body(f'<xop:Include xmlns:xop="{XOP}" href="cid:content"/>'))
    root_head = f'--{BOUNDARY}\r\nContent-Type: application/xop+xml; type="text/xml"\r\nContent-ID: <root>\r\n\r\n'
    part_head = f"\r\n--{BOUNDARY}\r\nContent-Type: application/octet-stream\r\nContent-ID: <content>\r\n\r\n"
    message = root_head.encode() + envelope + part_head.encode() + content + f"\r\n--{BOUNDARY}--".encode()
    return Message(name, f"/soap/{model}/v1", MULTIPART, message, len(content))


if __name__ == "__main__":
    sys.exit(main())
