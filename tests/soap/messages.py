"""Requests to `kinds`, and what stands in an answer."""

from __future__ import annotations

from typing import Any

from lxml import etree

from soapsvc.soap.application import Reply
from soapsvc.soap.ns import SoapVersion
from tests.soap.packages import opened

NS = "urn:soapsvc:kinds:v1"
INFERENCE = "urn:soapsvc:inference:v1"
PNG = (  # 2 x 2 pixels, red, green, blue, white
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP4z8DA8J+BkYHh////DAAe9gT9Ce00PgAAAABJRU5ErkJggg=="
)
MEMBERS: dict[str, str] = {
    "flag": "true", "count": "-3", "total": "1099511627776", "level": "200", "ratio": "0.1", "offset": "0.5",
    "note": "你好 &amp; &lt;ü&gt;", "left": "0.25", "right": "0.75",
    "series": "<item>1.5</item><item>2.5</item>", "codes": "<item>7</item>", "words": "<item>one</item>",
    "grid": "<dtype>float32</dtype><shape><item>2</item><item>3</item></shape><doubles>"
    + "".join(f"<item>{value}</item>" for value in range(6)) + "</doubles>",
    "picture": PNG,
}  # fmt: skip


def members(**changed: str | None) -> str:
    """Return the parameters of predict; None leaves one out."""
    return "".join(f"<{name}>{text}</{name}>" for name, text in (MEMBERS | changed).items() if text is not None)


def predict(**changed: str | None) -> str:
    """Return a predict request's body."""
    return f'<predict xmlns="{NS}">{members(**changed)}</predict>'


def tensor(dtype: str, shape: str, carrier: str) -> str:
    """Return a Tensor's content. shape: sizes parted by blanks."""
    sizes = "".join(f"<item>{size}</item>" for size in shape.split())
    return f"<dtype>{dtype}</dtype><shape>{sizes}</shape>{carrier}"


def find(reply: Reply, path: str) -> str | None:
    """Return the text at a path of local names, None when there is nothing there."""
    found = etree.fromstring(reply.body).xpath("//" + "/".join(f"*[local-name()='{step}']" for step in path.split("/")))
    assert isinstance(found, list)
    return (found[0].text or "") if found else None


def detail(reply: Reply, fault: str = "InvalidInput") -> dict[str, Any]:
    """Return the fields of a typed fault. Fails when the reply holds none, or not where stubs look for it."""
    root = etree.fromstring(reply.body)
    nodes = root.xpath(f"//*[local-name()='detail' or local-name()='Detail']/*[local-name()='{fault}']")
    assert isinstance(nodes, list)
    assert nodes, reply.body.decode()
    return {etree.QName(node).localname: node.text for node in nodes[0]}


def fault_code(reply: Reply) -> tuple[str, SoapVersion]:
    """Return a fault's code without its prefix, and the SOAP version that it is written in."""
    root = etree.fromstring(reply.body)
    soap = SoapVersion.SOAP11 if SoapVersion.SOAP11.envelope in str(root.tag) else SoapVersion.SOAP12
    path = "s:Body/s:Fault/faultcode" if soap is SoapVersion.SOAP11 else "s:Body/s:Fault/s:Code/s:Value"
    node = root.find(path, {"s": soap.envelope})
    assert node is not None, reply.body.decode()
    prefix, code = str(node.text).split(":")
    assert node.nsmap[prefix] == soap.envelope
    return code, soap


def check_answer(reply: Reply) -> None:
    """Fail unless a reply is a SOAP message that tells nothing of the inside, and of no defect there."""
    assert reply.status in (200, 500) or 400 <= reply.status < 500
    content = reply.body
    if reply.content_type.startswith("multipart/related"):
        assert reply.status == 200
        content = opened(reply.content_type, reply.body)[""]
    else:
        assert reply.content_type in {version.content_type for version in SoapVersion}
    document = etree.fromstring(content)
    soap = next(version for version in SoapVersion if document.tag == f"{{{version.envelope}}}Envelope")
    faults = document.findall(f"{{{soap.envelope}}}Body/{{{soap.envelope}}}Fault")
    assert len(faults) == (reply.status != 200)
    for fault in faults:
        text = fault.findtext("faultstring") or fault.findtext(f"{{{soap.envelope}}}Reason/{{{soap.envelope}}}Text")
        assert text, content
        assert not text.startswith("Internal Error"), content
        assert b"Traceback" not in content
