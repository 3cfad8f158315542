"""What a page is asked and what it answers. Knows no page, and no HTTP server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

HTML = "text/html; charset=utf-8"
_MAX_FORM_BYTES = 64 * 1024


@dataclass(frozen=True)
class Request:
    """One request for a page.

    query: the first value of each name.  headers: by their names in small letters.
    base_url: under which the caller reaches this server, without a slash at its end.  peer: the caller's address.
    read_body: returns the body, of so many bytes at most; the server answers 413 to a larger one.
    call: posts a message to a service of this server in the caller's name: path, Content-Type and envelope.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    base_url: str
    peer: str
    read_body: Callable[[int], bytes]
    call: Callable[[str, str, bytes], Answer]

    @classmethod
    def unread(cls, path: str) -> Request:
        """Return a request of which no more is known than its path."""
        return cls("POST", path, {}, {}, "", "", lambda _: b"", lambda *_: Answer(503, HTML, b""))

    @property
    def root(self) -> str:
        """The relative address of `/`: pages link by it, so that they work behind a proxy's prefix too."""
        return "../" * (self.path.count("/") - 1) or "./"

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The first value of each field of a form that was sent, urlencoded."""
        return first_values(self.read_body(_MAX_FORM_BYTES).decode("utf-8", "replace"))

    def cookie(self, name: str) -> str:
        """Return a cookie's value, nothing without it."""
        try:
            morsel = SimpleCookie(self.headers.get("cookie", "")).get(name)
        except CookieError:
            return ""
        return morsel.value if morsel else ""


@dataclass(frozen=True)
class Answer:
    """What goes back for it."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def first_values(encoded: str) -> Mapping[str, str]:
    """Return the first value of each name of a query or a form."""
    return {name: values[0] for name, values in parse_qs(encoded, keep_blank_values=True).items()}
