"""The WSGI application: which handler answers which path."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from soapsvc.console.console import Console
from soapsvc.errors import ServingError
from soapsvc.metrics.page import CONTENT_TYPE, MetricsPage
from soapsvc.model.manager import ModelManager
from soapsvc.soap.application import Reply
from soapsvc.soap.call import Call
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.message_log import MessageLog
from soapsvc.tracing import Tracing
from soapsvc.transport.console_request import console_request, response_of
from soapsvc.transport.forwarded import TrustedProxies
from soapsvc.transport.http import BodyTooLarge, Environ, Response, StartResponse
from soapsvc.transport.soap_handler import Exchange, SoapHandler


class WebApplication:
    """Routes requests; runs under any WSGI server."""

    def __init__(
        self, manager: ModelManager, contracts: Contracts, console: Console, base_url: str, exchange: Exchange,
        models_page: Callable[[], object], proxies: TrustedProxies, messages: MessageLog, tracing: Tracing,
    ) -> None:  # fmt: skip
        self._manager, self._contracts, self._console, self._base_url = manager, contracts, console, base_url
        self.draining = False  # set once the server stops
        self.waiting: Callable[[], int] = lambda: 0  # how many calls wait for a thread; set by the server
        self.soap = SoapHandler(contracts, base_url, exchange, proxies, messages, tracing)
        metrics = MetricsPage(self.soap.telling.flush, manager.status, lambda: self.waiting(), contracts.sessions)
        self._pages: dict[str, Callable[[], Response]] = {
            "/health/live": lambda: _json(200, {"status": "live"}),
            "/health/ready": self._ready,
            "/health/models": lambda: _json(200, models_page()),
            "/metrics": lambda: Response(200, CONTENT_TYPE, metrics()),
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        return self._respond(environ).send(environ, start_response)

    def model_called(self, method: str, path: str) -> str:
        """Return the model that a request calls, by a message or by a form; empty when it calls none."""
        return self.soap.model_called(method, path) or self._console.model_called(method, path)

    def refusal(self, path: str, error: ServingError, call: Call) -> Reply:
        """Return what a call is told that got no thread, and log it: a fault, or a page where a form was sent."""
        model = self._console.model_called("POST", path)
        endpoint = next((each for each in self._contracts.all() if model and each.names.model == model), None)
        if endpoint is None:
            return self.soap.refusal(path, error, call)
        fault = self.soap.refusal(endpoint.names.path(endpoint.soap), error, call)
        return self._told(path, fault.status, f"{model} could not answer: {error.message}.")

    def refused(self, path: str, status: int, text: str, call: Call) -> Reply:
        """Return what is told of a request that never became a call, and log it: a fault, or a page for a form."""
        fault = self.soap.refused(path, status, text, call)
        if not self._console.model_called("POST", path):
            return fault
        return self._told(path, status, f"The form could not be taken: {text}.")

    def _told(self, path: str, status: int, words: str) -> Reply:
        page = self._console.refusal(path, status, words)
        return Reply(page.status, page.content_type, page.body)

    def _respond(self, environ: Environ) -> Response:
        path = environ.get("PATH_INFO", "")
        if path.startswith(("/soap/", "/soap12/")):
            return self.soap.handle(environ)
        page = self._pages.get(path)
        if page is None:
            return self._console_page(environ) or _json(404, {"error": "nothing stands here; / lists what there is"})
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _json(405, {"error": "expected GET"}, {"Allow": "GET, HEAD"})
        return page()

    def _console_page(self, environ: Environ) -> Response | None:
        request = console_request(environ, self.soap, self._base_url)
        try:
            answer = self._console.respond(request)
        except BodyTooLarge:
            return _json(413, {"error": "the request is larger than this page takes"})
        return None if answer is None else response_of(answer)

    def _ready(self) -> Response:
        """Ready when a model can answer and the server does not stop: what is loaded later comes beside what serves."""
        ready = bool(self._manager.names()) and not self.draining
        return _json(200 if ready else 503, {"status": "ready" if ready else "not ready"})


def _json(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    return Response(status, "application/json", json.dumps(content).encode(), headers or {})
