"""What a browser asks, as the console takes it, and what it answers, as HTTP has it."""

from __future__ import annotations

from functools import partial
from io import BytesIO

from soapsvc.console.request import Answer, Request, first_values
from soapsvc.transport.forwarded import host_url
from soapsvc.transport.http import Environ, Response, read_body
from soapsvc.transport.soap_handler import SoapHandler

_OF_THE_PAGE = {  # of a request, what does not hold for the call that is made for it
    "soapsvc.body", "HTTP_SOAPACTION", "HTTP_CONTENT_ENCODING", "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING",
    "HTTP_TRANSFER_ENCODING",
}  # fmt: skip


def console_request(environ: Environ, soap: SoapHandler, base_url: str) -> Request:
    """Return the request. base_url: this server's by its settings; the caller's own words count where those name none.

    So what a page tells to paste works from where the browser is. Nobody else gets to see that page.
    """
    origin = soap.proxies.take(environ)
    said = host_url(environ) if soap.proxies.tell_address else None
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
        call=partial(_call, environ, origin.peer, soap),
    )


def _call(
    environ: Environ, peer: str, soap: SoapHandler, path: str, content_type: str, envelope: bytes
) -> Answer:  # fmt: skip
    """Answer a message as if the page's caller had posted it."""
    own = {name: value for name, value in environ.items() if name not in _OF_THE_PAGE}
    own |= {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "QUERY_STRING": "", "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(envelope)), "wsgi.input": BytesIO(envelope), "REMOTE_ADDR": peer,
    }  # fmt: skip
    response = soap.handle(own)
    return Answer(response.status, response.content_type, response.body, response.headers)


def response_of(answer: Answer) -> Response:
    """Return what goes back over HTTP."""
    return Response(answer.status, answer.content_type, answer.body, answer.headers)
