"""A SoapUI project file: one interface with its definition inside, and a test suite.

Its bytes depend on the arguments alone: no ids, no dates. Elements stand in the order of SoapUI's own schema,
soapui/src/main/xsd/soapui/soapui.xsd in its repository.
"""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from soapsvc.soap.application import SoapEndpoint
from soapsvc.soap.ns import SoapVersion
from soapsvc.soapui.assertions import Assertion
from soapsvc.soapui.cases import SESSION_ID, Case

NAMESPACE = "http://eviware.com/soapui/config"
ENDPOINT = "${#Project#endpoint}"  # SoapUI puts the project's property in its place

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_SOAP_VERSION = {SoapVersion.SOAP11: "1_1", SoapVersion.SOAP12: "1_2"}
_LOAD_TEST = [
    ("threadCount", "5"),
    ("startDelay", "0"),
    ("sampleInterval", "250"),
    ("calculateTPSOnTimePassed", "true"),
    ("resetStatisticsOnThreadCountChange", "true"),
    ("historyLimit", "-1"),
    ("testLimit", "100"),  # runs in all: 20 for each thread, so about ten seconds
    ("limitType", "COUNT"),
]
_LOAD_TEST_DELAY_MS = "500"
_LOAD_TEST_END = [
    ("maxAssertionErrors", "100"),
    ("statisticsLogFolder", ""),
    ("statisticsLogInterval", "0"),
    ("logStatisticsOnThreadChange", "false"),
    ("cancelOnReachedLimit", "false"),
    ("cancelExcessiveThreads", "true"),
    ("strategyInterval", "500"),
    ("updateStatisticsPerTestStep", "false"),
]


def project(endpoint: SoapEndpoint, url: str, cases: Sequence[Case]) -> bytes:
    """Return a project file. url: where the server is, without a slash at its end."""
    address = url + endpoint.names.path(endpoint.soap)
    name = f"{endpoint.names.model} SOAP {_SOAP_VERSION[endpoint.soap].replace('_', '.')}"
    root = etree.Element(f"{{{NAMESPACE}}}soapui-project", nsmap={"con": NAMESPACE, "xsi": _XSI})
    _set(root, name=name, resourceRoot="", runType="SEQUENTIAL", abortOnError="false")
    _add(
        root,
        "description",
        f"Made by python -m soapsvc soapui {endpoint.names.model}. The property endpoint says where.",
    )
    _add(root, "settings")
    interface = _interface(root, endpoint, address)
    for case in cases:
        if case.name == case.operation:
            _request(_operation(interface, endpoint, case.operation), "call", "sample", case.request)
    suite = _add(root, "testSuite", name=f"{endpoint.names.model} contract")
    _add(suite, "settings")
    _add(suite, "runType", "SEQUENTIAL")
    for case in cases:
        _test_case(suite, interface.attrib["name"], endpoint.names.namespace, case)
    _add(suite, "properties")
    _property(_add(root, "properties"), "endpoint", address)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8") + b"\n"


def _interface(root: etree._Element, endpoint: SoapEndpoint, address: str) -> etree._Element:
    wsdl = etree.fromstring(endpoint.wsdl_at(address))
    binding = wsdl.find(f"{{{_WSDL}}}binding")
    assert binding is not None
    name, location = binding.attrib["name"], f"{address}?wsdl"
    interface = _add(root, "interface", name=name, type="wsdl", definition=location, wsaVersion="NONE")
    interface.set(f"{{{_XSI}}}type", "con:WsdlInterface")
    _set(interface, bindingName=f"{{{endpoint.names.namespace}}}{name}", soapVersion=_SOAP_VERSION[endpoint.soap])
    _set(interface, anonymous="optional")
    _add(interface, "settings")
    part = _add(_add(interface, "definitionCache", type="TEXT", rootPart=location), "part")
    _add(part, "url", location)
    _add(part, "content").text = etree.CDATA(etree.tostring(wsdl, encoding="unicode"))
    _add(part, "type", _WSDL)
    _add(_add(interface, "endpoints"), "endpoint", ENDPOINT)
    return interface


def _operation(interface: etree._Element, endpoint: SoapEndpoint, name: str) -> etree._Element:
    operation = _add(interface, "operation", name=name, bindingOperationName=name, action=endpoint.names.action(name))
    _set(operation, type="Request-Response", inputName=name, outputName=f"{name}Response", isOneWay="false")
    _set(operation, sendsAttachments="false", receivesAttachments="false", anonymous="optional")
    _add(operation, "settings")
    return operation


def _request(parent: etree._Element, tag: str, name: str, envelope: str, assertions: Sequence[Assertion] = ()) -> None:
    request = _add(parent, tag, name=name)
    _add(request, "settings")
    _add(request, "encoding", "UTF-8")
    _add(request, "endpoint", ENDPOINT)
    kept = SESSION_ID.join(part.replace("${", "$${") for part in envelope.split(SESSION_ID))  # SoapUI expands no more
    _add(request, "request").text = etree.CDATA(kept)
    for assertion in assertions:
        node = _add(request, "assertion", type=assertion.type, name=assertion.name)
        configuration = _add(node, "configuration")
        for key, value in assertion.configuration:
            etree.SubElement(configuration, key).text = value
    _add(_add(request, "credentials"), "authType", "Global HTTP Settings")


def _test_case(suite: etree._Element, interface: str, namespace: str, case: Case) -> None:
    test_case = _add(suite, "testCase", name=case.name, failOnError="true", failTestCaseOnErrors="true")
    _set(test_case, keepSession="false", searchProperties="true")
    _add(test_case, "settings")
    _request_step(test_case, interface, case)
    if case.then is not None:
        _transfer_step(test_case, namespace, case)
        _request_step(test_case, interface, case.then)
    if case.name == "predict":
        _load_test(test_case)
    properties = _add(test_case, "properties")
    if case.then is not None:
        _property(properties, "sessionId", "")


def _request_step(test_case: etree._Element, interface: str, case: Case) -> None:
    config = _step(test_case, "request", "RequestStep", case.name)
    _add(config, "interface", interface)
    _add(config, "operation", case.operation)
    _request(config, "request", case.name, case.request, case.assertions)


def _transfer_step(test_case: etree._Element, namespace: str, source: Case) -> None:
    """Add a step that takes the id out of an answer and makes it a property of the test case."""
    config = _step(test_case, "transfer", "PropertyTransfersStep", "sessionId")
    transfer = _add(config, "transfers", setNullOnMissingSource="false", transferTextContent="true", failOnError="true")
    _add(transfer, "name", "sessionId")
    _add(transfer, "sourceType", "Response")
    _add(transfer, "sourceStep", source.name)
    _add(transfer, "sourcePath", f"declare namespace m='{namespace}';\n//m:{source.operation}Result/m:sessionId")
    _add(transfer, "targetType", "sessionId")
    _add(transfer, "targetStep", "#TestCase#")
    _add(transfer, "targetPath")


def _step(test_case: etree._Element, kind: str, config_type: str, name: str) -> etree._Element:
    step = _add(test_case, "testStep", type=kind, name=name)
    _add(step, "settings")
    config = _add(step, "config")
    config.set(f"{{{_XSI}}}type", f"con:{config_type}")
    return config


def _load_test(test_case: etree._Element) -> None:
    load_test = _add(test_case, "loadTest", name="5 threads, 100 calls")
    _add(load_test, "settings")
    for tag, value in _LOAD_TEST:
        _add(load_test, tag, value)
    strategy = _add(load_test, "loadStrategy")
    _add(strategy, "type", "Simple")
    config = _add(strategy, "config")
    etree.SubElement(config, "testDelay").text = _LOAD_TEST_DELAY_MS
    etree.SubElement(config, "randomFactor").text = "0"
    _add(load_test, "assertion", type="Step Status", name="Step Status")
    for tag, value in _LOAD_TEST_END:
        _add(load_test, tag, value)


def _property(properties: etree._Element, name: str, value: str) -> None:
    node = _add(properties, "property")
    _add(node, "name", name)
    _add(node, "value", value)


def _add(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
    node = etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}", attributes)
    node.text = text
    return node


def _set(node: etree._Element, **attributes: str) -> None:
    for name, value in attributes.items():
        node.set(name, value)
