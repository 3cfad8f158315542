"""What is fuzzed: three functions of bytes, each with a promise that it keeps whatever comes.

A case is a line that tells how a message was sent, `SOAP version|model|SOAP action|Content-Type`, and the message.
Needs neither atheris nor TensorFlow, so that what was found is tried again by every run of the tests.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from soapsvc.model.source import VersionFolder
from soapsvc.soap.application import Reply
from soapsvc.soap.call import Call
from soapsvc.soap.envelope import MAX_ATTRIBUTES, MAX_ITEMS, read_message
from soapsvc.soap.faults import SoapFault, fault_envelope
from soapsvc.soap.media_type import ContentType, parse_content_type
from soapsvc.soap.mtom import MAX_PARTS, unpack
from soapsvc.soap.ns import SoapVersion
from tests.kinds import MANIFEST
from tests.soap.conftest import Service
from tests.soap.messages import NS, check_answer

MAX_ENVELOPE_BYTES = 4096
CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Case:
    """A message and how it was sent."""

    soap: SoapVersion
    model: str
    action: str
    content_type: str
    content: bytes

    def written(self) -> bytes:
        head = "|".join((self.soap.value, self.model, self.action, self.content_type))
        return head.encode("latin-1", "replace") + b"\n" + self.content

    @property
    def sent_as(self) -> ContentType:
        media_type, parameters = parse_content_type(self.content_type)
        return ContentType(media_type, parameters.get("charset"), self.action, parameters)


def read_case(data: bytes) -> Case:
    """Return the case in any bytes: what is missing or unknown in the first line is the default."""
    head, _, content = data.partition(b"\n")
    version, model, action, content_type = (head.decode("latin-1").split("|", 3) + [""] * 4)[:4]
    soap = SoapVersion.SOAP12 if version == SoapVersion.SOAP12.value else SoapVersion.SOAP11
    return Case(soap, "inference" if model == "inference" else "kinds", action, content_type, content)


def guard(data: bytes) -> None:
    """The guard gives one checked element, or a SoapFault."""
    case = read_case(data)
    try:
        message = read_message(case.content, case.sent_as, case.soap)
    except SoapFault as err:
        _check_fault(err, case.soap)
        return
    assert message.envelope.getroottree().docinfo.doctype == ""
    assert message.body.getparent() is message.envelope[-1]
    assert len(message.envelope[-1]) == 1
    for node in message.envelope.iter():
        assert isinstance(node.tag, str), "neither comments nor processing instructions nor entities"
        assert len(node.attrib) <= MAX_ATTRIBUTES
        assert len(node) <= MAX_ITEMS


def mtom(data: bytes) -> None:
    """The splitter gives an envelope within its limit and a bounded number of parts, or a SoapFault."""
    case = read_case(data)
    try:
        package = unpack(case.content, case.sent_as, case.soap, MAX_ENVELOPE_BYTES)
    except SoapFault as err:
        _check_fault(err, case.soap)
        return
    if package.attachments is None:
        assert package.envelope == case.content
        return
    boundary = b"\r\n--" + case.sent_as.parameters["boundary"].encode()
    parts = [package.envelope, *map(bytes, package.attachments.values())]
    assert len(package.envelope) <= MAX_ENVELOPE_BYTES
    assert len(package.attachments) <= MAX_PARTS
    assert all(part in case.content and boundary not in part for part in parts)
    assert sum(map(len, parts)) < len(case.content)


def codec(data: bytes) -> None:
    """The whole answer, package or envelope, is SOAP, whatever was asked."""
    case = read_case(data)
    endpoint = service().endpoint(case.model, case.soap)
    call = Call("fuzz")
    try:
        package = unpack(case.content, case.sent_as, case.soap, MAX_ENVELOPE_BYTES)
    except SoapFault as err:
        check_answer(endpoint.fault(err, call))
        return
    call.takes_attachments = package.attachments is not None
    check_answer(endpoint.answer(package.envelope, package.sent_as, call, package.attachments))


def _check_fault(fault: SoapFault, soap: SoapVersion) -> None:
    check_answer(Reply(fault.status, soap.content_type, fault_envelope(fault, soap, NS, "fuzz")))


TARGETS: dict[str, Callable[[bytes], None]] = {"guard": guard, "mtom": mtom, "codec": codec}


@cache
def service() -> Service:
    """Return `kinds` behind a graph that gives back what it gets."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kinds" / "1"
        path.mkdir(parents=True)
        (path / "model.yaml").write_text(MANIFEST)
        return Service(VersionFolder("kinds", 1, path))
