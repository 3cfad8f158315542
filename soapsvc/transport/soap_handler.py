"""The HTTP side of a SOAP endpoint: methods, media types, sizes, and which endpoint a path means."""

from __future__ import annotations

import logging
import re
import time
from urllib.parse import parse_qsl

from soapsvc.soap.application import Reply, SoapEndpoint
from soapsvc.soap.call import Call, Pin, request_id
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.envelope import ContentType, wrong_media_type
from soapsvc.soap.faults import FaultCode, SoapFault, write_fault
from soapsvc.soap.inference import NAMES as INFERENCE
from soapsvc.soap.ns import SoapVersion
from soapsvc.transport.http import BodyTooLarge, Environ, Response, parse_content_type, read_body

calls_log = logging.getLogger("soapsvc.calls")
_PATH = re.compile(
    r"/(?P<soap>soap|soap12)/(?P<model>[a-z][a-z0-9-]{0,62})/v(?P<contract>[1-9][0-9]{0,5})"
    r"(?:/versions/(?P<version>[1-9][0-9]{0,17})|/labels/(?P<label>[a-z][a-z0-9-]{0,62}))?/?"
)
_MEDIA_TYPES = {version.mime_type for version in SoapVersion}


class SoapHandler:
    """Answers everything under /soap and /soap12."""

    def __init__(self, contracts: Contracts, base_url: str, max_request_bytes: int) -> None:
        self._contracts, self._base_url, self._max_bytes = contracts, base_url, max_request_bytes
        self.too_large = f"the message is larger than {max_request_bytes} bytes"

    def handle(self, environ: Environ) -> Response:
        """Return the response to a request and log it."""
        started = time.perf_counter()
        call = Call(request_id(environ.get("HTTP_X_REQUEST_ID")))
        reply, received = self._reply(environ, call)
        _log(call, (time.perf_counter() - started) * 1000, received, len(reply.body))
        headers = {"X-Request-Id": call.request_id}
        if reply.status == 405:
            headers["Allow"] = "GET, HEAD, POST"
        return Response(reply.status, reply.content_type, reply.body, headers)

    def fault(self, path: str, status: int, text: str, call: Call) -> Reply:
        """Return a fault in the SOAP version that a path asks for, whether or not anything stands there."""
        call.outcome = f"http-{status}"
        soap = SoapVersion.SOAP12 if path.startswith("/soap12") else SoapVersion.SOAP11
        return Reply(status, soap.content_type, write_fault(soap, FaultCode.CLIENT, text))

    def _reply(self, environ: Environ, call: Call) -> tuple[Reply, int]:
        path = environ.get("PATH_INFO", "")
        match = _PATH.fullmatch(path)
        endpoint = match and self._contracts.find(
            SoapVersion.SOAP12 if match["soap"] == "soap12" else SoapVersion.SOAP11,
            match["model"], int(match["contract"]),
        )  # fmt: skip
        pinned = match and (match["version"] or match["label"])
        if not match or not endpoint or (pinned and endpoint.names == INFERENCE):
            return self.fault(path, 404, "no service stands at this address", call), 0
        call.model = endpoint.names.model
        call.pin = Pin(int(match["version"]) if match["version"] else None, match["label"])
        method = environ["REQUEST_METHOD"]
        if method in ("GET", "HEAD") and _asks_for_wsdl(environ):
            call.operation = "wsdl"
            address = self._base_url + path.rstrip("/")
            return Reply(200, "text/xml; charset=utf-8", endpoint.wsdl_at(address)), 0
        if method != "POST":
            return self.fault(path, 405, "expected POST with a SOAP message, or GET with ?wsdl", call), 0
        return self._post(environ, endpoint, call)

    def _post(self, environ: Environ, endpoint: SoapEndpoint, call: Call) -> tuple[Reply, int]:
        media_type, parameters = parse_content_type(environ.get("CONTENT_TYPE") or "")
        try:
            body = read_body(environ, self._max_bytes)
        except BodyTooLarge:
            return endpoint.fault(SoapFault(FaultCode.CLIENT, self.too_large, status=413), call), 0
        if media_type not in _MEDIA_TYPES:
            return endpoint.fault(wrong_media_type(media_type, endpoint.soap), call), len(body)
        encoding = environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
        if encoding not in ("", "identity"):
            text = "expected a message without Content-Encoding"
            return endpoint.fault(SoapFault(FaultCode.CLIENT, text, status=415), call), len(body)
        soap_action = environ.get("HTTP_SOAPACTION", "").strip()
        action = parameters.get("action", "") if endpoint.soap is SoapVersion.SOAP12 else soap_action
        sent_as = ContentType(media_type, parameters.get("charset"), action.strip('"'))
        return endpoint.answer(body, sent_as, call), len(body)


def _asks_for_wsdl(environ: Environ) -> bool:
    query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    return any(name.lower() == "wsdl" for name, _ in query)


def _log(call: Call, milliseconds: float, received: int, sent: int) -> None:
    calls_log.info(
        "request=%s model=%s version=%s operation=%s outcome=%s ms=%.2f in=%d out=%d",
        call.request_id, call.model, call.version or "-", call.operation, call.outcome, milliseconds, received, sent,
    )  # fmt: skip
