"""Test cases of a model: sample requests, and assertions on what the model answers to them today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lxml import etree

from soapsvc.errors import LoadError
from soapsvc.model.contract import OutputField
from soapsvc.model.servable import Servable
from soapsvc.soap.application import Reply, SoapEndpoint
from soapsvc.soap.call import Call, request_id
from soapsvc.soap.media_type import ContentType
from soapsvc.soap.samples import typed_samples
from soapsvc.soapui.assertions import (
    NOT_SOAP_FAULT,
    SCHEMA_COMPLIANCE,
    SOAP_FAULT,
    Assertion,
    contains,
    http_status,
    xpath_match,
)

SESSION_ID = "${#TestCase#sessionId}"  # SoapUI puts the test case's property in its place
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)


@dataclass(frozen=True)
class Case:
    """A request to an operation, and what has to be true of the answer.

    request: an envelope, without declaration.  then: what follows in the same conversation; in its request SESSION_ID
    stands for the id that this answer gave.
    """

    name: str
    operation: str
    request: str
    assertions: Sequence[Assertion]
    then: Case | None = None


def cases(endpoint: SoapEndpoint, servable: Servable) -> list[Case]:
    """Return a case for each operation, and one whose fault names a field where the model needs any input at all.

    Raises LoadError when the model refuses its own sample.
    """
    samples = typed_samples(endpoint, servable)
    found = [_answered(endpoint, servable, operation, samples[operation]) for operation in endpoint.operations]
    if servable.contract.converses:
        found = [replace(case, then=_next(endpoint, case)) if case.operation == "reply" else case for case in found]
    return [*found, *_refused(endpoint, samples["predict"])]


def _next(endpoint: SoapEndpoint, first: Case) -> Case:
    """Return what follows a first call of reply: the same once more, in the session that it began."""
    envelope = etree.fromstring(first.request, _PARSER)
    session_id = etree.Element(endpoint.names.element("sessionId"))
    envelope[-1][0].insert(0, session_id)
    _, begun = _asked(endpoint, first.request.encode())
    namespace, state = endpoint.names.namespace, "//m:replyResult/m:sessionState"
    session_id.text = _value(begun, namespace, "//m:replyResult/m:sessionId")
    _, body = _asked(endpoint, etree.tostring(envelope))
    matches = [xpath_match(namespace, state, _value(body, namespace, state))]
    session_id.text = SESSION_ID
    request = _envelope(etree.tostring(envelope))
    return Case("reply once more", "reply", request, [http_status(200), SCHEMA_COMPLIANCE, NOT_SOAP_FAULT, *matches])


def _answered(endpoint: SoapEndpoint, servable: Servable, operation: str, request: bytes) -> Case:
    status, body = _asked(endpoint, request)
    if status != 200:
        refusal = body.findtext(".//{*}message") or _text(body)
        raise LoadError(f"{servable.name} refuses its sample request for {operation}: {refusal}; add golden inputs")
    namespace, result = endpoint.names.namespace, f"//m:{operation}Result"
    labelled = [f"m:{output.element}/m:item[1]/m:label" for output in servable.contract.outputs if _has_labels(output)]
    paths = {
        "predict": [f"{result}/{path}" for path in labelled],
        "predictBatch": [f"{result}/m:item[{row}]/{path}" for row in (1, 2) for path in labelled],
        "getModelInfo": [f"{result}/m:name", f"{result}/m:contractVersion"],
        "reply": [f"{result}/m:sessionState", *(f"{result}/{path}" for path in labelled)],
    }[operation]
    matches = [xpath_match(namespace, path, _value(body, namespace, path)) for path in paths]
    token = next((dict(match.configuration)["content"] for match in matches), "modelVersion")
    return Case(
        operation,
        operation,
        _envelope(request),
        [http_status(200), SCHEMA_COMPLIANCE, NOT_SOAP_FAULT, contains(token), *matches],
    )


def _has_labels(output: OutputField) -> bool:
    return output.kind == "scoredLabels"


def _refused(endpoint: SoapEndpoint, sample: bytes) -> Iterator[Case]:
    """Yield the case of a `predict` without any input; nothing where every input is optional."""
    envelope = etree.fromstring(sample, _PARSER)
    call = envelope[-1][0]
    del call[:]
    call.text = None
    status, body = _asked(endpoint, etree.tostring(envelope))
    if body.find(f".//{endpoint.names.element('InvalidInput')}") is None:
        return
    namespace, paths = endpoint.names.namespace, ["//m:InvalidInput/m:code", "//m:InvalidInput/m:field"]
    matches = [xpath_match(namespace, path, _value(body, namespace, path)) for path in paths]
    yield Case(
        "predict without input",
        "predict",
        _envelope(etree.tostring(envelope)),
        [http_status(status), SOAP_FAULT, contains("InvalidInput"), *matches],
    )


def _asked(endpoint: SoapEndpoint, request: bytes) -> tuple[int, etree._Element]:
    """Return the HTTP status and the Body of the answer."""
    reply: Reply = endpoint.answer(request, ContentType(endpoint.soap.mime_type), Call(request_id(None)))
    return reply.status, etree.fromstring(reply.body, _PARSER)[-1]


def _value(body: etree._Element, namespace: str, path: str) -> str:
    found = body.xpath(path, namespaces={"m": namespace})
    assert isinstance(found, list)
    (node,) = found
    return _text(node)


def _text(node: object) -> str:
    assert isinstance(node, etree._Element)
    return "".join(str(part) for part in node.itertext())


def _envelope(request: bytes) -> str:
    """Return an envelope as SoapUI keeps it: text, without a declaration."""
    return etree.tostring(etree.fromstring(request, _PARSER), encoding="unicode") + "\n"
