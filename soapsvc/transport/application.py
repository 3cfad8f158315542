"""The WSGI application: which handler answers which path."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from soapsvc.metrics.page import CONTENT_TYPE, MetricsPage
from soapsvc.model.manager import ModelManager
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.message_log import MessageLog
from soapsvc.tracing import Tracing
from soapsvc.transport.forwarded import TrustedProxies
from soapsvc.transport.http import Environ, Response, StartResponse
from soapsvc.transport.soap_handler import Exchange, SoapHandler

Page = Callable[[], str]


class WebApplication:
    """Routes requests; runs under any WSGI server."""

    def __init__(
        self, manager: ModelManager, contracts: Contracts, home_page: Page, base_url: str, exchange: Exchange,
        models_page: Callable[[], object], proxies: TrustedProxies, messages: MessageLog, tracing: Tracing,
    ) -> None:  # fmt: skip
        self._manager, self._home_page = manager, home_page
        self.draining = False  # set once the server stops
        self.waiting: Callable[[], int] = lambda: 0  # how many calls wait for a thread; set by the server
        self.soap = SoapHandler(contracts, base_url, exchange, proxies, messages, tracing)
        metrics = MetricsPage(self.soap.telling.flush, manager.status, lambda: self.waiting(), contracts.sessions)
        self._pages: dict[str, Callable[[], Response]] = {
            "/": self._home,
            "/health/live": lambda: _json(200, {"status": "live"}),
            "/health/ready": self._ready,
            "/health/models": lambda: _json(200, models_page()),
            "/metrics": lambda: Response(200, CONTENT_TYPE, metrics()),
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        return self._respond(environ).send(environ, start_response)

    def _respond(self, environ: Environ) -> Response:
        path = environ.get("PATH_INFO", "")
        if path.startswith(("/soap/", "/soap12/")):
            return self.soap.handle(environ)
        page = self._pages.get(path or "/")
        if page is None:
            return _json(404, {"error": "nothing stands at this address; / lists what there is"})
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _json(405, {"error": "expected GET"}, {"Allow": "GET, HEAD"})
        return page()

    def _home(self) -> Response:
        policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}
        return Response(200, "text/html; charset=utf-8", self._home_page().encode(), headers)

    def _ready(self) -> Response:
        """Ready when a model can answer and the server does not stop: what is loaded later comes beside what serves."""
        ready = bool(self._manager.names()) and not self.draining
        return _json(200 if ready else 503, {"status": "ready" if ready else "not ready"})


def _json(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    return Response(status, "application/json", json.dumps(content).encode(), headers or {})
