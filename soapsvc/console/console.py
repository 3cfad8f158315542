"""Which page answers which path, and the headers that every answer of the console has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from soapsvc.console.assets import Assets
from soapsvc.console.request import Answer, Request
from soapsvc.console.templates import Templates

MODEL = r"/models/(?P<model>[a-z][a-z0-9-]{0,62})"  # the path of a model's page; others stand under it
_OWN = re.compile(r"/|/(?:models|console|actions)(?:/.*)?")
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Page = Callable[[Request, Mapping[str, str]], Answer | None]


@dataclass(frozen=True)
class Route:
    """A page's place. path: a pattern for the whole path, whose named groups the page is given.

    page: returns None where nothing stands at this address after all.
    calls: whether a POST to it calls the model that its path names, and so waits for its turn as a call does.
    """

    path: str
    page: Page
    methods: tuple[str, ...] = ("GET", "HEAD")
    calls: bool = False


class Console:
    """Answers what a browser asks. Safe to use from many threads."""

    def __init__(self, routes: Sequence[Route], templates: Templates, assets: Assets) -> None:
        self._templates = templates
        everything = [*routes, Route(r"/console/(?P<file>[a-z0-9.-]+)", assets)]
        self._routes = [(re.compile(route.path), route) for route in everything]

    def respond(self, request: Request) -> Answer | None:
        """Return the answer, None for a path that is not the console's."""
        if not _OWN.fullmatch(request.path):
            return None
        answer = self._answer(request)
        return replace(answer, headers={**_HEADERS, **answer.headers})

    def model_called(self, method: str, path: str) -> str:
        """Return the model that a request calls, empty when it calls none."""
        if method != "POST" or not path.startswith("/models/"):
            return ""
        found = (match for place, route in self._routes if route.calls and (match := place.fullmatch(path)))
        return next((match["model"] for match in found), "")

    def refusal(self, path: str, status: int, words: str) -> Answer:
        """Return the page for a form that was refused unread."""
        return self._message(Request.unread(path), status, words)

    def _answer(self, request: Request) -> Answer:
        found = [(route, match) for path, route in self._routes if (match := path.fullmatch(request.path))]
        for route, match in found:
            if request.method in route.methods:
                answer = route.page(request, match.groupdict())
                if answer is not None:
                    return answer
        allowed = sorted({method for route, _ in found for method in route.methods})
        if found and request.method not in allowed:
            page = self._message(request, 405, f"This address takes {' and '.join(allowed)} only.")
            return replace(page, headers={"Allow": ", ".join(allowed)})
        return self._message(request, 404, "Nothing stands at this address.")

    def _message(self, request: Request, status: int, words: str) -> Answer:
        return self._templates.page(request, "message.html", status, words=words)
