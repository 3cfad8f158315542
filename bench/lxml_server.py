"""The floor: what the same graph behind the same server costs with no SOAP library, contract or check at all.

`python -m bench.lxml_server [--granian WORKERS]`. Parses, finds four elements, runs, formats a string. Never expose
it to a network.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import Any

from lxml import etree

from bench.iris import COLUMNS, NAMESPACE
from bench.listen import loaded, serve, serve_on_granian
from bench.predict import make_predictor

_ENVELOPE = (
    "<?xml version='1.0' encoding='utf-8'?>\n"
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    f'<predictResponse xmlns="{NAMESPACE}"><predictResult><probabilities>%s</probabilities>'
    "<modelVersion>%d</modelVersion></predictResult></predictResponse></soap:Body></soap:Envelope>"
)
_ITEM = "<item><label>%s</label><score>%r</score></item>"
_PATHS = [f".//{{{NAMESPACE}}}{name}" for name in COLUMNS]


def make_handler() -> Callable[..., Iterable[bytes]]:
    """Return the WSGI application around a loaded model."""
    predict, version = make_predictor()

    def handle(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        root = etree.fromstring(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        ranking = predict([float(root.findtext(path, "")) for path in _PATHS])
        answer = (_ENVELOPE % ("".join(_ITEM % pair for pair in ranking), version)).encode()
        headers = [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(answer)))]
        start_response("200 OK", headers)
        return [answer]

    loaded()
    return handle


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--granian", type=int, metavar="WORKERS", help="on Granian with so many workers, not waitress")
    workers = parser.parse_args().granian
    if workers:
        serve_on_granian("bench.lxml_server:make_handler", workers)
    else:
        serve(make_handler())


if __name__ == "__main__":
    main()
