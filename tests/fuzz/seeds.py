"""Good messages to start from: every operation of `kinds` and of the generic service, with its golden values."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from soapsvc.soap.mtom import XOP_TYPE
from soapsvc.soap.ns import SoapVersion
from soapsvc.soap.samples import inference_samples, typed_samples
from tests.fuzz.targets import Case, service
from tests.soap.conftest import envelope
from tests.soap.messages import INFERENCE, NS, PNG, predict, tensor
from tests.soap.packages import BOUNDARY, Part, content_type, include, package, root

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
CHARSETS = ("utf-8", "utf-16", "utf-16le", "iso-8859-1")
DICTIONARY = [
    *(soap.envelope for soap in SoapVersion), *(soap.mime_type for soap in SoapVersion), *CHARSETS, NS, INFERENCE,
    XOP_TYPE, "multipart/related", BOUNDARY, f"--{BOUNDARY}\r\n", f"\r\n--{BOUNDARY}--", "Content-ID: <a>\r\n", "cid:a",
    "Content-Transfer-Encoding: ", "<!DOCTYPE a>", "<![CDATA[", "]]>", "<!--", "-->", "<?a ?>", "<?xml version='1.0'?>",
    "&#0;", "&#x1F600;", "&amp;", "&a;", 'xmlns:a="urn:a"', 'mustUnderstand="1"', f'{XSI} xsi:nil="true"',
    f'{XSI} xsi:type="a"', "<item>", "</item>", "<item/>", "<content>", "</content>", "<doubles>", "<longs>",
    "<strings>", "NaN", "INF", "-INF", "-0", "1e999", "9223372036854775808", "2147483647", "true", "AAAA", "float32",
    "string",
]  # fmt: skip


def seeds() -> Iterator[Case]:
    """Yield the cases that every target begins with."""
    for soap in SoapVersion:
        plain = f"{soap.mime_type}; charset=utf-8"
        for model, samples in _samples(soap).items():
            yield from (Case(soap, model, "", plain, sample) for sample in samples)
        grid = predict(grid=tensor("float32", "2 3", "<content>" + "AAAA" * 8 + "</content>"))
        yield Case(soap, "kinds", f"{NS}:predict", plain, envelope(grid, soap, _header()))
        for charset in CHARSETS:
            message = f"<?xml version='1.0'?>{envelope(predict(note='ü'), soap).decode()}"
            yield Case(soap, "kinds", "", f"{soap.mime_type}; charset={charset}", message.encode(charset))
        yield _package(soap)


def _samples(soap: SoapVersion) -> dict[str, list[bytes]]:
    manager = service().manager
    with manager.handle("kinds") as servable:
        typed = typed_samples(service().endpoint("kinds", soap), servable)
        generic = inference_samples(service().endpoint("inference", soap), servable)
    return {"kinds": list(typed.values()), "inference": list(generic.values())}


def _header() -> str:
    wsa = "http://www.w3.org/2005/08/addressing"
    return f'<a:MessageID xmlns:a="{wsa}">urn:uuid:1</a:MessageID><b:x xmlns:b="urn:b" s:mustUnderstand="0"/>'


def _package(soap: SoapVersion) -> Case:
    grid = tensor("float32", "2 3", f"<content>{include('grid')}</content>")
    body = envelope(predict(picture=include("picture"), grid=grid), soap)
    parts = [root(body, soap), Part("picture", base64.b64decode(PNG)), Part("grid", bytes(24))]
    return Case(soap, "kinds", "", content_type(soap), package(parts))
