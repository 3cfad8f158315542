"""What a browser asks, as the console takes it, and what it answers, as HTTP has it."""

from __future__ import annotations

from functools import partial

from soapsvc.console.request import Answer, Request, first_values
from soapsvc.transport.forwarded import TrustedProxies, host_url
from soapsvc.transport.http import Environ, Response, read_body


def console_request(environ: Environ, proxies: TrustedProxies, base_url: str) -> Request:
    """Return the request. base_url: this server's by its settings; the caller's own words count where those name none.

    So what a page tells to paste works from where the browser is. Nobody else gets to see that page.
    """
    origin = proxies.take(environ)
    said = host_url(environ) if proxies.tell_address else None
    headers = {name[5:].replace("_", "-").lower(): str(environ[name]) for name in environ if name.startswith("HTTP_")}
    headers["content-type"] = str(environ.get("CONTENT_TYPE") or "")
    return Request(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO") or "/",
        query=first_values(environ.get("QUERY_STRING", "")),
        headers=headers,
        base_url=origin.base_url or said or base_url,
        peer=origin.peer,
        read_body=partial(read_body, environ),
    )


def response_of(answer: Answer) -> Response:
    """Return what goes back over HTTP."""
    return Response(answer.status, answer.content_type, answer.body, answer.headers)
