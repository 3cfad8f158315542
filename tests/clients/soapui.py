"""A stand-in for SoapUI's test runner: sends a project's requests and judges the answers as SoapUI's source does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from lxml import etree

CON = "{http://eviware.com/soapui/config}"
XS = "{http://www.w3.org/2001/XMLSchema}"
ENVELOPE = {"1_1": "http://schemas.xmlsoap.org/soap/envelope/", "1_2": "http://www.w3.org/2003/05/soap-envelope"}
MIME = {"1_1": "text/xml", "1_2": "application/soap+xml"}


@dataclass(frozen=True)
class Answer:
    """What came back, and the interface that it belongs to."""

    status: int
    text: str
    interface: etree._Element

    @property
    def body(self) -> etree._Element:
        found = etree.fromstring(self.text.encode()).find(f"{{{ENVELOPE[self.interface.attrib['soapVersion']]}}}Body")
        assert found is not None
        return found

    def is_fault(self) -> bool:
        return etree.QName(self.body[0]).localname == "Fault"


class Project:
    """A project file, run against a server other than the one it was written for. url: where that server is."""

    def __init__(self, path: Path, url: str) -> None:
        self.root = etree.parse(path).getroot()
        self.interfaces = {node.attrib["name"]: node for node in self.root.iter(f"{CON}interface") if node.get("type")}
        self._session, self._url = requests.Session(), url
        self._answers: dict[str, Answer] = {}  # by the name of the step
        self._of_test_case: dict[str, str] = {}
        properties = self.root.findall(f"{CON}properties/{CON}property")
        self.properties = {each.findtext(f"{CON}name"): each.findtext(f"{CON}value") for each in properties}

    def steps(self) -> Iterator[etree._Element]:
        """Yield every test step."""
        yield from self.root.iter(f"{CON}testStep")

    def run(self, step: etree._Element) -> list[str]:
        """Return what is wrong with the answer to a step's request, as `name: reason`; with a transfer, nothing."""
        config = step.find(f"{CON}config")
        assert config is not None
        if step.get("type") == "transfer":
            self._transfer(config)
            return []
        request = config.find(f"{CON}request")
        assert request is not None
        interface = self.interfaces[str(config.findtext(f"{CON}interface"))]
        answer = self.send(interface, str(config.findtext(f"{CON}operation")), request)
        self._answers[step.attrib["name"]] = answer
        found = []
        for assertion in request.iter(f"{CON}assertion"):
            settings = {node.tag: str(node.text) for node in assertion.iterfind(f"{CON}configuration/*")}
            reason = CHECKS[assertion.attrib["type"]](answer, settings)
            if reason:
                found.append(f"{assertion.get('name')}: {reason}")
        return found

    def _transfer(self, config: etree._Element) -> None:
        """Do as SoapUI's PropertyTransfer does without a targetPath."""
        (transfer,) = config.iterfind(f"{CON}transfers")
        named = {etree.QName(node).localname: node.text or "" for node in transfer}
        assert (named["sourceType"], named["targetStep"], named["targetPath"]) == ("Response", "#TestCase#", "")
        (node,) = _selected(self._answers[named["sourceStep"]], named["sourcePath"])
        self._of_test_case[named["targetType"]] = str(node.text)

    def samples(self) -> Iterator[tuple[etree._Element, str, etree._Element]]:
        """Yield interface, operation and request of each sample."""
        for interface in self.interfaces.values():
            for operation in interface.iter(f"{CON}operation"):
                yield from ((interface, operation.attrib["name"], call) for call in operation.iter(f"{CON}call"))

    def send(self, interface: etree._Element, operation: str, request: etree._Element) -> Answer:
        """Return the answer to a request."""
        envelope, version = self._expanded(str(request.findtext(f"{CON}request"))), interface.attrib["soapVersion"]
        (action,) = [
            node.attrib["action"] for node in interface.iter(f"{CON}operation") if node.get("name") == operation
        ]
        address = re.sub(r"^https?://.*?(?=/soap)", self._url, self._expanded(str(request.findtext(f"{CON}endpoint"))))
        headers = {"Content-Type": f"{MIME[version]}; charset=UTF-8", "SOAPAction": f'"{action}"'}
        answer = self._session.post(address, envelope.encode(), headers=headers, timeout=60)
        return Answer(answer.status_code, answer.text, interface)

    def _expanded(self, text: str) -> str:
        """Return a text with the project's and the test case's properties in it; `$${` stands for `${`."""
        known = {"Project": self.properties, "TestCase": self._of_test_case}
        return re.sub(
            r"\$?\$\{(?:#(Project|TestCase)#(\w+)\})?",
            lambda found: "${" if found[0].startswith("$$") else str(known[found[1]][found[2]]),
            text,
        )


def definition(interface: etree._Element) -> etree._Element:
    """Return the WSDL that an interface carries."""
    cache = interface.find(f"{CON}definitionCache")
    assert cache is not None
    (content,) = [
        part.findtext(f"{CON}content")
        for part in cache.iterfind(f"{CON}part")
        if part.findtext(f"{CON}url") == cache.get("rootPart")
    ]
    return etree.fromstring(str(content))


def _schema_compliance(answer: Answer, _: dict[str, str]) -> str:
    (schema,) = definition(answer.interface).iter(f"{XS}schema")
    checked = etree.XMLSchema(etree.fromstring(etree.tostring(schema)))  # with the namespaces of the WSDL around it
    return "" if checked.validate(answer.body[0]) else str(checked.error_log.last_error)


def _selected(answer: Answer, path: str) -> list[etree._Element]:
    """Return the elements that a path selects. path: the namespaces it declares, a line break, an XPath."""
    declared = re.findall(r"declare namespace (\w+)='([^']*)';", path)
    found = etree.fromstring(answer.text.encode()).xpath(path.splitlines()[-1], namespaces=dict(declared))
    assert isinstance(found, list)
    return [node for node in found if isinstance(node, etree._Element)]


def _xpath_match(answer: Answer, settings: dict[str, str]) -> str:
    texts = ["".join(map(str, node.itertext())) for node in _selected(answer, settings["path"])]
    return "" if texts == [settings["content"]] else f"expected {settings['content']!r}, found {texts}"


CHECKS: dict[str, Callable[[Answer, dict[str, str]], str]] = {
    "Valid HTTP Status Codes": lambda answer, settings: (
        "" if str(answer.status) in settings["codes"].split(",") else f"HTTP {answer.status}"
    ),
    "Schema Compliance": _schema_compliance,
    "SOAP Fault Assertion": lambda answer, _: answer.text if answer.is_fault() else "",
    "Not SOAP Fault Assertion": lambda answer, _: "" if answer.is_fault() else "no fault",
    "Simple Contains": lambda answer, settings: "" if settings["token"] in answer.text else f"no {settings['token']}",
    "XPath Match": _xpath_match,
}
