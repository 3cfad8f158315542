"""What is tried with each client, and what must then have been seen on the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Seen = Mapping[str, Any]  # one exchange as interop.server recorded it


@dataclass(frozen=True)
class Feature:
    """One row of the matrix.

    key: as the clients' programs name it.  judged: when its cell says yes.
    seen: what one exchange of the feature must have been on the wire, None where the answer tells enough.
    """

    key: str
    title: str
    judged: str
    seen: Callable[[Seen], bool] | None = None


def _sent_as(media_type: str) -> Callable[[Seen], bool]:
    return lambda seen: str(seen["request_type"]).lower().startswith(media_type)


def _answered_as(media_type: str) -> Callable[[Seen], bool]:
    return lambda seen: str(seen["answer_type"]).lower().startswith(media_type)


MULTIPART = "multipart/related"

FEATURES = (
    Feature(
        "wsdl", "WSDL parses",
        "the stub generator takes the WSDLs of eight models, SOAP 1.1 and 1.2, without an error; with CXF its "
        "wsdlvalidator too",
    ),
    Feature(
        "natural", "natural stubs",
        "`predict` of the model kinds has a parameter, or a member of its one request object, for each input, by "
        "its name and of its own type: nothing untyped (JAXBElement, Object, any); asked of the stubs",
    ),
    Feature("scalars", "scalars", "bool, int, long, double come back as sent"),
    Feature("optional", "optional", "an absent input (null) takes the model's default, a given one is used"),
    Feature("arrays", "arrays", "double, long and string arrays come back; empty ones too"),
    Feature("tensor", "tensor", "dtype, shape and values come back"),
    Feature("image", "image", "a PNG arrives as its pixels"),
    Feature("text", "text", "markup characters and spaces at both ends come back"),
    Feature("utf8", "UTF-8", "Chinese, umlauts and an emoji come back"),
    Feature("nan", "NaN, INF", "NaN, INF, -INF come back, as scalars and in arrays"),
    Feature("batch", "batch", "two instances, one with its optional input, come back in order"),
    Feature(
        "records", "list of records",
        "the digits in a photograph come as a list of records, each with a box and a list of its own; of a picture "
        "without digits the list is empty",
    ),
    Feature(
        "conversation", "conversation",
        "`reply` starts a session where its id is absent, and with the id of that answer goes on",
    ),
    Feature(
        "invalid-input", "InvalidInput",
        "caught by its type, with code, field, expected, received and request id; where there is one class for all "
        "faults, its detail names the type and has the members",
    ),
    Feature("model-not-found", "ModelNotFound", "caught by its type, with code and message"),
    Feature(
        "other-faults", "other typed faults",
        "Overloaded, DeadlineExceeded, Unavailable and AuthenticationFailed are each caught by their types, with the "
        "number that says when to come again or how long the call was given",
    ),
    Feature(
        "soap12", "SOAP 1.2", "scalars come back and InvalidInput is caught, with stubs of the SOAP 1.2 WSDL",
        _sent_as("application/soap+xml"),
    ),
    Feature("mtom-in", "MTOM in", "a picture is sent as an attachment", _sent_as(MULTIPART)),
    Feature("mtom-100", "MTOM out, 100 B", "100 bytes come back as an attachment", _answered_as(MULTIPART)),
    Feature("mtom-100k", "MTOM out, 100 kB", "100,000 bytes come back as an attachment", _answered_as(MULTIPART)),
    Feature("mtom-20m", "MTOM out, 20 MB", "20,000,000 bytes come back as an attachment", _answered_as(MULTIPART)),
    Feature(
        "gzip-in", "gzip request", "a compressed request is answered", lambda seen: seen["request_coding"] == "gzip"
    ),
    Feature("gzip-out", "gzip answer", "a compressed answer is read", lambda seen: seen["answer_coding"] == "gzip"),
    Feature(
        "addressing", "WS-Addressing", "a call with addressing headers is answered, and InvalidInput is caught",
        lambda seen: bool(seen["addressed"]),
    ),
    Feature("threads", "16 x 500 calls", "16 threads of 500 calls each; every answer is that of its own call"),
)  # fmt: skip
