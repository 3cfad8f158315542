"""The rules that every WSDL keeps, one test each, for a typed and the generic contract in both SOAP versions."""

from __future__ import annotations

import pytest
from lxml import etree

from soapsvc.soap.faults import FAULT_FOR
from soapsvc.soap.ns import HTTP_TRANSPORT, WSDL, XSD, SoapVersion
from tests.soap.conftest import Service

VALUE_TYPES = {"xs:double", "xs:int", "xs:long", "xs:boolean"}
W, X = f"{{{WSDL}}}", f"{{{XSD}}}"


@pytest.fixture(params=[(model, soap) for model in ("kinds", "inference") for soap in SoapVersion], ids=str)
def document(request: pytest.FixtureRequest, service: Service) -> etree._Element:
    model, soap = request.param
    return etree.fromstring(service.endpoint(model, soap).wsdl_at("http://example.org/x"))


@pytest.fixture
def soap(document: etree._Element) -> SoapVersion:
    return SoapVersion.SOAP11 if SoapVersion.SOAP11.wsdl in document.nsmap.values() else SoapVersion.SOAP12


def test_wsdl_has_one_service_with_one_port(document: etree._Element) -> None:
    assert len(document.findall(f"{W}service")) == 1
    assert len(document.findall(f"{W}service/{W}port")) == 1
    assert len(document.findall(f"{W}binding")) == 1


def test_wsdl_binding_is_document_literal_of_one_soap_version(document: etree._Element, soap: SoapVersion) -> None:
    binding = document.find(f"{W}binding/{{{soap.wsdl}}}binding")
    assert binding is not None
    assert (binding.get("style"), binding.get("transport")) == ("document", HTTP_TRANSPORT)
    assert {node.get("use") for node in document.iter(f"{{{soap.wsdl}}}body", f"{{{soap.wsdl}}}fault")} == {"literal"}
    other = next(version for version in SoapVersion if version is not soap)
    assert not list(document.iter(f"{{{other.wsdl}}}*"))


def test_wsdl_parts_are_named_as_dotnet_wants(document: etree._Element) -> None:
    faults = {kind.name for kind in FAULT_FOR.values()}
    for message in document.findall(f"{W}message"):
        (part,) = message
        assert part.get("name") == ("fault" if message.get("name") in faults else "parameters")
        assert part.get("element") == f"tns:{message.get('name')}"


def test_wsdl_operations_are_wrapped(document: etree._Element) -> None:
    for operation in document.findall(f"{W}portType/{W}operation"):
        name = operation.get("name")
        request, answer = operation.find(f"{W}input"), operation.find(f"{W}output")
        assert request is not None
        assert answer is not None, "no one-way operations"
        assert (request.get("message"), answer.get("message")) == (f"tns:{name}", f"tns:{name}Response")
        assert operation.get("parameterOrder") is None
        assert operation.findtext(f"{W}documentation")


def test_wsdl_operations_declare_every_fault(document: etree._Element) -> None:
    for operation in document.findall(f"{W}portType/{W}operation"):
        assert {node.get("name") for node in operation.findall(f"{W}fault")} == {k.name for k in FAULT_FOR.values()}


def test_wsdl_soap_action_is_namespace_and_operation(document: etree._Element, soap: SoapVersion) -> None:
    for operation in document.findall(f"{W}binding/{W}operation"):
        (node,) = operation.findall(f"{{{soap.wsdl}}}operation")
        assert node.get("soapAction") == f"{document.get('targetNamespace')}:{operation.get('name')}"


def test_wsdl_holds_the_address_it_was_given(document: etree._Element, soap: SoapVersion) -> None:
    (address,) = document.iter(f"{{{soap.wsdl}}}address")
    assert address.get("location") == "http://example.org/x"


def test_wsdl_namespace_holds_no_host(document: etree._Element) -> None:
    assert str(document.get("targetNamespace")).startswith("urn:soapsvc:")


def test_schema_is_qualified_and_simple(document: etree._Element) -> None:
    (schema,) = document.iter(f"{X}schema")
    assert schema.get("elementFormDefault") == "qualified"
    forbidden = ("list", "choice", "attribute", "any", "import", "include", "union")
    assert [node.tag for name in forbidden for node in schema.iter(X + name)] == []
    types = {str(node.get("type")) for node in schema.iter(f"{X}element") if node.get("type")}
    builtin = {name for name in types if name.startswith("xs:")}
    assert builtin <= {f"xs:{name}" for name in ("string", "double", "int", "long", "boolean", "base64Binary")}


def test_schema_names_are_camel_case(document: etree._Element) -> None:
    names = [str(node.get("name")) for node in document.iter() if isinstance(node.tag, str) and node.get("name")]
    assert [name for name in names if not name.isalnum()] == []


def test_schema_optional_values_suit_java_and_dotnet(document: etree._Element) -> None:
    """Scalars: minOccurs=1 and nillable; strings and objects: minOccurs=0 and not nillable."""
    for kind in document.iter(f"{X}complexType"):
        for member in kind.iter(f"{X}element"):
            if member.get("maxOccurs") == "unbounded":
                assert (member.get("minOccurs"), member.get("nillable")) == ("0", None)
            elif member.get("type") in VALUE_TYPES:
                assert member.get("minOccurs") is None
            elif kind.get("name") or member.get("minOccurs") == "0":
                assert member.get("nillable") is None


def test_schema_messages_are_such_that_dotnet_unwraps_them(document: etree._Element) -> None:
    """What a message must hold is nillable unless .NET holds it by value; faults are no messages of that kind."""
    (schema,) = document.iter(f"{X}schema")
    faults = {kind.name for kind in FAULT_FOR.values()}
    for message in schema.findall(f"{X}element"):
        for member in message.iterfind(f"{X}complexType/{X}sequence/{X}element"):
            if member.get("minOccurs") is None and member.get("type") not in VALUE_TYPES:
                assert (member.get("nillable") == "true") == (message.get("name") not in faults)


def test_schema_arrays_are_wrapped_items(document: etree._Element) -> None:
    for kind in document.iter(f"{X}complexType"):
        members = list(kind.iter(f"{X}element"))
        if any(member.get("maxOccurs") for member in members):
            assert str(kind.get("name")).startswith("ArrayOf")
            assert [member.get("name") for member in members] == ["item"]


def test_schema_elements_are_messages_with_their_type_inside(document: etree._Element) -> None:
    (schema,) = document.iter(f"{X}schema")
    elements = {node.get("name"): node for node in schema.findall(f"{X}element")}
    assert set(elements) == {message.get("name") for message in document.findall(f"{W}message")}
    assert all(node.get("type") is None and len(node) == 1 for node in elements.values())


def test_schema_faults_hold_flat_scalars(document: etree._Element) -> None:
    (schema,) = document.iter(f"{X}schema")
    for kind in FAULT_FOR.values():
        (node,) = [node for node in schema.findall(f"{X}element") if node.get("name") == kind.name]
        members = {member.get("name"): str(member.get("type")) for member in node.iter(f"{X}element")}
        assert {"code", "message", "requestId", *(member.element for member in kind.members)} <= members.keys()
        assert all(name == kind.name or text.startswith("xs:") for name, text in members.items())


def test_wsdl_is_a_valid_schema(document: etree._Element) -> None:
    (schema,) = document.iter(f"{X}schema")
    etree.XMLSchema(etree.fromstring(etree.tostring(schema)))


def test_wsdl_bytes_are_the_same_each_time(service: Service) -> None:
    with service.manager.handle("kinds") as servable:
        again = service.contracts.endpoint_of(servable.contract, SoapVersion.SOAP11)
    assert again.wsdl_at("http://x/y") == service.endpoint().wsdl_at("http://x/y")
