"""`python -m bench.attachments`: a tensor and a picture as MTOM, base64 and numbers, against a handler that only reads.

Each form goes in turn to our server and to the reader, ROUND calls at a time on one connection, so that a busy
machine meets both alike and neither finds the other's memory in the processor's caches. Memory is by how much a
server's resident memory rises at most during the first calls of its life: servers start anew for each message, as
what an earlier call left behind would be used again.
"""

from __future__ import annotations

import argparse
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection
from itertools import chain

import numpy as np
from PIL import Image

from bench.attachment_models import MOST
from bench.iris import REPOSITORY
from bench.messages import PIXELS, Message, as_base64, attached, content, inline, numbers, predict, tensor
from bench.report import surroundings, table
from bench.subjects import Running, Subject, running

ROUND = 10
FIRST_CALLS = 3  # enough for every buffer to grow to its size
_HEADINGS = ("message", "bytes sent", "ours ms", "reader ms", "/ reader", "ours MB", "reader MB", "MB / content")


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
        rows = []
        for message in _messages():
            print(f"{message.name} ...", file=sys.stderr)
            with running(subjects) as servers:
                rows.append(_row(message, servers[0], servers[1], options.calls))
    print(surroundings())
    print()
    print(table(_HEADINGS, rows, options.markdown))
    return 0


def _row(message: Message, ours: Running, reader: Running, calls: int) -> tuple[str, ...]:
    calls = max(3, min(calls, calls * 10_000_000 // len(message.body)))
    ask = [_caller(server, message) for server in (ours, reader)]
    rise = [
        server.peak_rise(partial(_repeat, call)) / 1e6 for server, call in zip((ours, reader), ask, strict=True)
    ]  # the warm-up, too
    rounds = [[[_seconds(call) for _ in range(min(ROUND, calls))] for call in ask] for _ in range(-(-calls // ROUND))]
    mine, floor = (statistics.median(chain(*times)) * 1000 for times in zip(*rounds, strict=True))
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


def _seconds(call: Callable[[], None]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


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
