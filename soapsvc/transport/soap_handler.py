"""The HTTP side of a SOAP endpoint: methods, media types, sizes, and which endpoint a path means."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import parse_qsl

from soapsvc.answered import Answered
from soapsvc.errors import ServingError
from soapsvc.metrics.definitions import REFUSED
from soapsvc.model.signature import Limits
from soapsvc.soap.application import Reply, SoapEndpoint
from soapsvc.soap.call import Call, Pin, request_id
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.faults import FaultCode, SoapFault, client_fault, fault_envelope, write_fault, wrong_media_type
from soapsvc.soap.inference import NAMES as INFERENCE
from soapsvc.soap.media_type import ContentType, parse_content_type
from soapsvc.soap.message_log import MessageLog
from soapsvc.soap.mtom import MULTIPART, Package, unpack
from soapsvc.soap.ns import SoapVersion
from soapsvc.soap.untold import untold
from soapsvc.tracing import Tracing
from soapsvc.transport.coding import MIN_BYTES, NotInflated, deflate, inflate, is_identity, takes_gzip, takes_packages
from soapsvc.transport.forwarded import TrustedProxies
from soapsvc.transport.http import BodyTooLarge, Environ, Response, read_body
from soapsvc.transport.telling import Telling

log = logging.getLogger(__name__)
_PATH = re.compile(
    r"/(?P<soap>soap|soap12)/(?P<model>[a-z][a-z0-9-]{0,62})/v(?P<contract>[1-9][0-9]{0,5})"
    r"(?:/versions/(?P<version>[1-9][0-9]{0,17})|/labels/(?P<label>[a-z][a-z0-9-]{0,62}))?/?"
)
_MEDIA_TYPES = frozenset(version.mime_type for version in SoapVersion)


_MOST_MS = 10**9  # some eleven days


@dataclass(frozen=True)
class Exchange:
    """How large messages may be, and in which forms they travel besides plain XML.

    max_request_bytes: of an envelope.  max_mtom_bytes: of an envelope with what is attached to it.
    """

    max_request_bytes: int
    max_mtom_bytes: int
    mtom: bool = True
    gzip: bool = True

    @cached_property
    def media_types(self) -> frozenset[str]:
        """What a request's Content-Type may be."""
        return _MEDIA_TYPES | {MULTIPART} if self.mtom else _MEDIA_TYPES

    def max_bytes(self, media_type: str) -> int:
        """Return how many bytes a request of this media type may have."""
        return self.max_mtom_bytes if self.mtom and media_type == MULTIPART else self.max_request_bytes


def deadline_given(header: str) -> float | None:
    """Return the seconds in an X-Deadline-Ms, None when it is none."""
    milliseconds = header.strip()
    if not milliseconds.isascii() or not milliseconds.isdecimal() or not 1 <= int(milliseconds[:12]) <= _MOST_MS:
        return None
    return int(milliseconds) / 1000


def _deadline(environ: Environ) -> float | None:
    """Return the seconds that the caller waits, None if he does not say. Raises SoapFault."""
    given = environ.get("HTTP_X_DEADLINE_MS", "")
    deadline_s = deadline_given(given)
    if given and deadline_s is None:
        raise client_fault("expected X-Deadline-Ms to be a whole number of milliseconds of 1 or more", status=400)
    return deadline_s


def too_large(max_bytes: int) -> str:
    """Return what a client is told whose message is over the limit."""
    return f"the message is larger than {max_bytes} bytes"


class SoapHandler:
    """Answers everything under /soap and /soap12."""

    def __init__(
        self, contracts: Contracts, base_url: str, exchange: Exchange, proxies: TrustedProxies, messages: MessageLog,
        tracing: Tracing,
    ) -> None:  # fmt: skip
        self._contracts, self._base_url, self._exchange = contracts, base_url, exchange
        self.proxies, self._messages, self._tracing = proxies, messages, tracing
        self.telling = Telling(tracing)

    def handle(self, environ: Environ) -> Response:
        """Return the response to a request and log it."""
        started = time.monotonic()
        began = environ.get("soapsvc.began", started)
        origin = self.proxies.take(environ)
        call = Call(request_id(environ.get("HTTP_X_REQUEST_ID")), peer=origin.peer, began=began, started=started)
        call.credentials = environ.get("HTTP_AUTHORIZATION", "")
        call.trace = self._tracing.begin(environ.get("HTTP_TRACEPARENT", ""), environ.get("HTTP_TRACESTATE", ""))
        if "soapsvc.queued" in environ:
            queued = environ["soapsvc.queued"]
            call.stages["queue"] = queued, started - queued
        try:
            reply, received = self._reply(environ, call, origin.base_url or self._base_url)
        except Exception as err:  # a defect that no endpoint saw; the server would answer it with plain text
            reply, received = self._defect(err, environ, call), 0
        unpacked = len(reply.body)
        reply, coding = self._compressed(reply, environ)
        self.telling.add(self._answered(call, call.started, received, len(reply.body), unpacked))
        headers = {"X-Request-Id": call.request_id, **coding}
        if reply.status == 405:
            headers["Allow"] = "GET, HEAD, POST"
        return Response(reply.status, reply.content_type, reply.body, headers)

    def begun(self, header: Callable[[str], str], peer: str, began: float) -> Call:
        """Return the call of a request that gets no thread. header: gives a header by its name, as TRACEPARENT."""
        trace = self._tracing.begin(header("TRACEPARENT"), header("TRACESTATE"))
        return Call(request_id(header("X_REQUEST_ID")), peer=peer, began=began, trace=trace)

    def model_called(self, method: str, path: str) -> str:
        """Return the model that a request calls, `inference` for the generic service, empty when it calls none."""
        match = _PATH.fullmatch(path) if method == "POST" else None
        return match["model"] if match else ""

    def limits_of(self, model: str) -> Limits:
        """Return what a model takes at once."""
        return self._contracts.limits_of(model)

    def calls_wait(self, model: str) -> bool:
        """Return whether calls of a model wait for what runs elsewhere."""
        return self._contracts.calls_wait(model)

    def refusal(self, path: str, error: ServingError, call: Call) -> Reply:
        """Return the fault for a call that got no thread, and log it."""
        endpoint = self._endpoint(_PATH.fullmatch(path))
        if endpoint is None:
            return self.fault(path, 404, "no service stands at this address", call)
        call.model = endpoint.names.model
        reply = endpoint.fault(error, call)
        self.telling.add(self._answered(call, call.began, 0, len(reply.body), len(reply.body)))
        return reply

    def refused(self, path: str, status: int, text: str, call: Call) -> Reply:
        """Return the fault for a request that never became a call, log it and count it."""
        reply = self.fault(path, status, text, call)
        endpoint = self._endpoint(_PATH.fullmatch(path))
        if endpoint is not None:
            call.model = endpoint.names.model
        REFUSED.labels(status).inc()
        self.telling.add_refused(self._answered(call, call.began, 0, len(reply.body), len(reply.body)))
        return reply

    def fault(self, path: str, status: int, text: str, call: Call) -> Reply:
        """Return a fault in the SOAP version that a path asks for, whether or not anything stands there."""
        call.outcome = f"http-{status}"
        soap = _soap_of(path)
        code = FaultCode.SERVER if status >= 500 else FaultCode.CLIENT
        return Reply(status, soap.content_type, write_fault(soap, code, text))

    def _answered(self, call: Call, since: float, received: int, sent: int, unpacked: int) -> Answered:
        """Return what is to be told of a call that is answered now. since: from when on its line counts the time."""
        now = time.monotonic()
        steps = dict(call.steps)  # a pipeline that missed its deadline still runs, and adds to its own
        return Answered(
            call.request_id, call.peer, call.model, call.version, call.operation, call.outcome, call.trace, call.began,
            now, time.time(), now - since, received, sent, unpacked, call.stages, steps,
        )  # fmt: skip

    def _defect(self, error: Exception, environ: Environ, call: Call) -> Reply:
        call.outcome = "InternalError"
        log.error("request %s failed", call.request_id, exc_info=untold(error))
        soap = _soap_of(environ.get("PATH_INFO", ""))
        return Reply(500, soap.content_type, fault_envelope(error, soap, "", call.request_id))

    def _reply(self, environ: Environ, call: Call, base_url: str) -> tuple[Reply, int]:
        path = environ.get("PATH_INFO", "")
        match = _PATH.fullmatch(path)
        endpoint = self._endpoint(match)
        pinned = match and (match["version"] or match["label"])
        if not match or not endpoint or (pinned and endpoint.names == INFERENCE):
            return self.fault(path, 404, "no service stands at this address", call), 0
        call.model = endpoint.names.model
        call.pin = Pin(int(match["version"]) if match["version"] else None, match["label"])
        method = environ["REQUEST_METHOD"]
        if method in ("GET", "HEAD") and _asks_for_wsdl(environ):
            call.operation = "wsdl"
            address = base_url + path.rstrip("/")
            return Reply(200, "text/xml; charset=utf-8", endpoint.wsdl_at(address)), 0
        if method != "POST":
            return self.fault(path, 405, "expected POST with a SOAP message, or GET with ?wsdl", call), 0
        return self._post(environ, endpoint, call)

    def _endpoint(self, match: re.Match[str] | None) -> SoapEndpoint | None:
        if match is None:
            return None
        soap = SoapVersion.SOAP12 if match["soap"] == "soap12" else SoapVersion.SOAP11
        return self._contracts.find(soap, match["model"], int(match["contract"]))

    def _post(self, environ: Environ, endpoint: SoapEndpoint, call: Call) -> tuple[Reply, int]:
        media_type, parameters = parse_content_type(environ.get("CONTENT_TYPE") or "")
        max_bytes = self._exchange.max_bytes(media_type)
        try:
            body = read_body(environ, max_bytes)
        except BodyTooLarge:
            return endpoint.fault(client_fault(too_large(max_bytes), status=413), call), 0
        length = environ.get("CONTENT_LENGTH") or ""
        package, received = None, int(length) if length.isdecimal() else len(body)
        try:
            package = self._unpacked(body, media_type, parameters, environ, endpoint.soap)
            del body  # what is attached is a view of it, and is let go of before the operation runs
            call.deadline_s = _deadline(environ)
            call.takes_attachments = self._exchange.mtom and (
                package.attachments is not None or takes_packages(environ.get("HTTP_ACCEPT", ""))
            )
            attachments = copy(package.attachments) if self._messages.on else package.attachments
            reply = endpoint.answer(package.envelope, package.sent_as, call, attachments)
        except SoapFault as err:
            reply = endpoint.fault(err, call)
        if self._messages.wants(call):
            self._messages.write(call, endpoint.soap, received, package, reply, endpoint.disclosure())
        return reply, received

    def _unpacked(
        self, body: bytes, media_type: str, parameters: Mapping[str, str], environ: Environ, soap: SoapVersion
    ) -> Package:
        """Return the envelope in a request's body, and what is attached to it. Raises SoapFault."""
        if media_type not in self._exchange.media_types:
            raise wrong_media_type(media_type, soap)
        soap_action = environ.get("HTTP_SOAPACTION", "").strip()
        action = parameters.get("action", "") if soap is SoapVersion.SOAP12 else soap_action
        sent_as = ContentType(media_type, parameters.get("charset"), action.strip('"'), parameters)
        coding = environ.get("HTTP_CONTENT_ENCODING", "")
        try:
            max_bytes = self._exchange.max_bytes(media_type)
            message = body if is_identity(coding) else inflate(body, coding, max_bytes)
        except NotInflated as err:
            raise client_fault(str(err), err.status) from err
        return unpack(message, sent_as, soap, self._exchange.max_request_bytes)

    def _compressed(self, reply: Reply, environ: Environ) -> tuple[Reply, Mapping[str, str]]:
        """Return the reply as the caller wants it encoded, and the headers that say so."""
        if not self._exchange.gzip or len(reply.body) < MIN_BYTES or reply.content_type.startswith(MULTIPART):
            return reply, {}
        if not takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
            return reply, {"Vary": "Accept-Encoding"}
        headers = {"Vary": "Accept-Encoding", "Content-Encoding": "gzip"}
        return replace(reply, body=deflate(reply.body)), headers


def _soap_of(path: str) -> SoapVersion:
    return SoapVersion.SOAP12 if path.startswith("/soap12") else SoapVersion.SOAP11


def _asks_for_wsdl(environ: Environ) -> bool:
    query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    return any(name.lower() == "wsdl" for name, _ in query)
