"""What receiving a tensor and running its graph costs without a contract: `python -m bench.graph_server`.

Takes the last bytes of a message for MobileNetV2's pixels, runs the same graph as our server does, and names the best
label. Parses nothing, checks nothing, logs nothing: the floor of a server on waitress for a graph that takes its time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from bench.listen import serve
from bench.workloads import WORKLOADS
from soapsvc.model.loader import load
from soapsvc.model.source import VersionFolder

_WORKLOAD = WORKLOADS["mobilenet"]
_END = re.compile(rb"\r\n--[^\r\n]+--\s*\Z")
_BOUNDARY = 200  # bytes: no message of the load generator ends with a longer one


def make_handler() -> Callable[..., Iterable[bytes]]:
    """Load the model and return the WSGI application."""
    folder = _WORKLOAD.models / _WORKLOAD.model / "1"
    servable = load(VersionFolder(_WORKLOAD.model, 1, folder))
    signature, feeds = servable.find_signature(None), _WORKLOAD.feeds()
    ((name, example),) = feeds.items()
    (output,) = signature.outputs
    labels = (folder / "labels.txt").read_text().splitlines()

    def handle(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        end = _END.search(body, len(body) - _BOUNDARY)
        assert end is not None
        pixels = np.frombuffer(body, example.dtype, example.size, end.start() - example.nbytes).reshape(example.shape)
        scores = servable.run(signature, {name: pixels})[output]
        answer = f"<label>{labels[int(np.argmax(scores))]}</label>".encode()
        start_response("200 OK", [("Content-Type", "text/xml"), ("Content-Length", str(len(answer)))])
        return [answer]

    return handle


if __name__ == "__main__":
    serve(make_handler(), inbuf_overflow=2**30, recv_bytes=2**16)
