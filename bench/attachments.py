"""`python -m bench.attachments`: a tensor and a picture as MTOM, base64 and numbers, against a handler that only reads.

Each form goes in turn to our server and to the reader, on one connection, in rounds of ROUND_S: so a busy machine meets
both alike, and of a round's calls only the first few find the other's code and memory in the processor's caches.
Memory is by how much a server's resident memory rises at most during the first calls of its life: servers start anew
for each message, as what an earlier call left behind would be used again.
"""

from __future__ import annotations

import argparse
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPConnection

import numpy as np
from PIL import Image

from bench.attachment_models import MOST
from bench.iris import REPOSITORY
from bench.messages import PIXELS, Message, as_base64, attached, content, inline, numbers, predict, tensor
from bench.report import surroundings, table
from bench.subjects import Running, Subject, running

ROUND_S = 0.1
FIRST_CALLS = 3  # enough for every buffer to grow to its size
_HEADINGS = ("message", "bytes sent", "ours ms", "reader ms", "/ reader", "ours MB", "reader MB", "MB / content")


def main() -> int:
    """Measure and print; return 0, or 1 when an answer is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.attachments", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="how long each message goes to a server (default 3)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as models:
        subprocess.run([sys.executable, "-m", "bench.attachment_models", models], cwd=REPOSITORY, check=True)
        ours = ("serve.py", "--host", "127.0.0.1", "--port", "0", "--models", models, "--log-level", "warning")
        subjects = (Subject("ours", ours), Subject("reader", ("-m", "bench.reader_server")))
        rows = []
        for message in _messages():
            print(f"{message.name} ...", file=sys.stderr)
            with running(subjects) as servers:
                rows.append(_row(message, servers[0], servers[1], options.seconds))
    print(surroundings())
    print()
    print(table(_HEADINGS, rows, options.markdown))
    return 0


def _row(message: Message, ours: Running, reader: Running, seconds: float) -> tuple[str, ...]:
    ask = [_caller(server, message) for server in (ours, reader)]
    rise = [
        server.peak_rise(partial(_repeat, call)) / 1e6 for server, call in zip((ours, reader), ask, strict=True)
    ]  # the warm-up, too
    times: tuple[list[float], list[float]] = [], []
    for _ in range(max(3, round(seconds / ROUND_S))):
        for call, seen in zip(ask, times, strict=True):
            seen.extend(_round(call))
    mine, floor = (statistics.median(seen) * 1000 for seen in times)
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


def _repeat(call: Callable[[], None]) -> None:
    for _ in range(FIRST_CALLS):
        call()


def _round(call: Callable[[], None]) -> Iterator[float]:
    """Give the seconds that calls take, one after the other, until the round is over."""
    end = time.perf_counter() + ROUND_S
    while (started := time.perf_counter()) < end:
        call()
        yield time.perf_counter() - started


def _messages() -> list[Message]:
    pixels = np.random.default_rng(1).random((1, *PIXELS), dtype=np.float32)
    many = np.tile(pixels, (MOST * 5 // 6, 1, 1, 1))
    photo, large = _jpeg(1_060), _jpeg(7_500)
    return [
        attached("tensor, MTOM", "pixels", pixels.tobytes(), lambda xop: _pixels(content(xop))),
        inline("tensor, base64", "pixels", pixels.nbytes, _pixels(content(as_base64(pixels.tobytes())))),
        inline("tensor, numbers", "pixels", pixels.nbytes, _pixels(numbers(pixels))),
        attached("picture, MTOM", "picture", photo, _picture),
        inline("picture, base64", "picture", len(photo), _picture(as_base64(photo))),
        attached("large tensor, MTOM", "inference", many.tobytes(), lambda xop: _generic(len(many), xop)),
        attached("large picture, MTOM", "picture", large, _picture),
    ]


def _jpeg(side: int) -> bytes:
    """Return a JPEG of noise: side 1,060 gives about 1 MB, 7,500 about 50 MB."""
    noise = np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=90)
    return file.getvalue()


def _pixels(carrier: str) -> str:
    return predict("pixels", "pixels", tensor(PIXELS, carrier))


def _picture(text: str) -> str:
    return predict("picture", "picture", text)


def _generic(count: int, text: str) -> str:
    inputs = f"<item><name>pixels</name><tensor>{tensor((count, *PIXELS), content(text))}</tensor></item>"
    return f'<predict xmlns="urn:soapsvc:inference:v1"><modelName>pixels</modelName><inputs>{inputs}</inputs></predict>'


if __name__ == "__main__":
    sys.exit(main())
