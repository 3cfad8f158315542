"""What an administrator may do, and the page to sign in. There is none of it without an admin token."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from soapsvc.console.admin import Admin, keeping
from soapsvc.console.console import MODEL, Route
from soapsvc.console.request import HTML, Answer, Request
from soapsvc.console.templates import Templates
from soapsvc.errors import LoadError

log = logging.getLogger(__name__)
DONE = {
    "signed-in": "You are signed in for an hour.",
    "signed-out": "You are signed out.",
    "reload": "Every worker looks at the models folder now.",
    "label": "The label is set; every worker follows once that version is loaded.",
}


class Operator(Protocol):
    """What can be done to the running server. Reaches every worker."""

    def reload(self) -> None:
        """Have the models folder looked at now."""

    def move_label(self, model: str, label: str, version: int) -> None:
        """Set a label of a model. Raises LoadError: no such version, not a label, it can't be written."""


class Actions:
    """The addresses under `/actions`."""

    def __init__(self, templates: Templates, admin: Admin, operator: Operator) -> None:
        self._templates, self._admin, self._operator = templates, admin, operator

    def routes(self) -> Sequence[Route]:
        """Return them."""
        form = ("POST",)
        return [
            Route("/actions/sign-in", self._sign_in_page),
            Route("/actions/sign-in", self._sign_in, form),
            Route("/actions/sign-out", self._as_admin(self._sign_out), form),
            Route("/actions/reload", self._as_admin(self._reload), form),
            Route("/actions/label", self._as_admin(self._move_label), form),
        ]

    def _sign_in_page(
        self, request: Request, places: Mapping[str, str], problem: str = "", status: int = 200
    ) -> Answer:
        visit = self._admin.visit(request)
        page = self._templates.page(request, "sign_in.html", status, visit=visit, problem=problem)
        return keeping(page, visit)

    def _sign_in(self, request: Request, places: Mapping[str, str]) -> Answer:
        if not self._admin.is_ours(request, self._admin.visit(request)):
            return self._sign_in_page(request, places, "The form is too old or came from elsewhere; try again.", 403)
        if wait_s := self._admin.wait_s(request):
            page = self._sign_in_page(request, places, f"Wrong tokens came from here; wait {wait_s} s.", 429)
            return Answer(page.status, HTML, page.body, {**page.headers, "Retry-After": str(wait_s)})
        visit = self._admin.sign_in(request)
        if visit is None:
            log.warning("console: a wrong admin token came from %s", request.peer)
            return self._sign_in_page(request, places, "This is not the admin token of this server.", 403)
        log.info("console: %s signed in", request.peer)
        return keeping(_see(request, "", "signed-in"), visit)

    def _as_admin(self, act: Callable[[Request], Answer]) -> Callable[[Request, Mapping[str, str]], Answer]:
        """Return a page that acts for an administrator who meant it, and refuses all others."""

        def page(request: Request, places: Mapping[str, str]) -> Answer:
            visit = self._admin.visit(request)
            if not visit.is_admin or not self._admin.is_ours(request, visit):
                words = "Nothing was done: sign in, then send the form from this server's own page."
                return self._templates.page(request, "message.html", 403, words=words)
            return act(request)

        return page

    def _sign_out(self, request: Request) -> Answer:
        return keeping(_see(request, "", "signed-out"), self._admin.sign_out(request))

    def _reload(self, request: Request) -> Answer:
        log.info("console: %s asked for a reload", request.peer)
        self._operator.reload()
        return _see(request, "", "reload")

    def _move_label(self, request: Request) -> Answer:
        form = request.form
        model, label, version = form.get("model", ""), form.get("label", "").strip(), form.get("version", "")
        try:
            if not re.fullmatch(MODEL, f"/models/{model}"):
                raise LoadError(f"model: expected a model's name, received {model!r:.80}")
            if not (version.isascii() and version.isdecimal()):
                raise LoadError(f"version: expected a number, received {version!r:.80}")
            self._operator.move_label(model, label, int(version))
        except LoadError as err:
            return self._templates.page(request, "message.html", 400, words=f"Nothing was done: {err}.")
        log.info("console: %s set label %s of %s to version %s", request.peer, label, model, version)
        return _see(request, f"models/{model}", "label")


def _see(request: Request, place: str, done: str) -> Answer:
    """Send a browser on, so that to load the page again does nothing again. place: after the server's root."""
    return Answer(303, HTML, b"", {"Location": f"{request.root}{place}?done={done}"})
