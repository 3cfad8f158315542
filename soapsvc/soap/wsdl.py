"""The WSDL of a contract: what Spyne writes, finished in the ways that real stub generators need.

Everything a client could come to rely on is put in a fixed order here, so that the bytes depend on the contract
alone and a golden file can hold them.
"""

from __future__ import annotations

from pathlib import Path

from lxml import etree
from spyne import Application
from spyne.interface.wsdl import Wsdl11

from soapsvc.errors import LoadError
from soapsvc.soap.ns import HTTP_TRANSPORT, WSDL, XSD, ContractNames, SoapVersion

_W, _X = f"{{{WSDL}}}", f"{{{XSD}}}"
_ORDER = [f"{_W}{name}" for name in ("documentation", "types", "message", "portType", "binding", "service")]
_MESSAGE, _DETAIL = "parameters", "fault"  # .NET unwraps a part only when it is named `parameters`


def build_wsdl(app: Application, names: ContractNames, soap: SoapVersion, description: str) -> etree._Element:
    """Return the finished document; its address is empty until `with_address`."""
    builder = Wsdl11(app.interface)
    builder.build_interface_document(HTTP_TRANSPORT)
    parser = etree.XMLParser(remove_blank_text=True)
    root = etree.fromstring(builder.get_interface_document(), parser)
    schema = root.find(f"{_W}types/{_X}schema")
    assert schema is not None
    faults = {str(fault.get("name")) for fault in root.iter(f"{_W}fault")}
    _finish_schema(schema, _message_elements(root))
    _finish_messages(root, faults)
    _finish_operations(root, names, soap)
    _rename(root, names, soap)
    _document(root, description)
    root[:] = sorted(root, key=lambda node: _ORDER.index(str(node.tag)))
    etree.cleanup_namespaces(root, keep_ns_prefixes=["tns", "xs"])
    return root


def with_address(wsdl: etree._Element, soap: SoapVersion, address: str) -> bytes:
    """Return the document's bytes with the endpoint's address in it."""
    copy = etree.fromstring(etree.tostring(wsdl))
    for node in copy.iter(f"{{{soap.wsdl}}}address"):
        node.set("location", address)
    etree.indent(copy)
    return etree.tostring(copy, xml_declaration=True, encoding="UTF-8") + b"\n"


def read_wsdl(path: Path) -> etree._Element:
    """Return a published document. Raises LoadError when the file is no WSDL."""
    try:
        root = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
    except (OSError, etree.XMLSyntaxError) as err:
        raise LoadError(f"{path}: expected a WSDL file: {err.__class__.__name__}") from err
    if root.find(f"{_W}types/{_X}schema") is None:
        raise LoadError(f"{path}: expected a WSDL file with its schema inside")
    return root


def schema_of(wsdl: etree._Element) -> etree._Element:
    """Return the schema that a document holds."""
    schema = wsdl.find(f"{_W}types/{_X}schema")
    assert schema is not None
    return schema


def stub_classes(wsdl: etree._Element) -> set[str]:
    """Return the names of the classes that Java stubs make from a document's schema, beside the port type's."""
    names = [str(node.get("name")) for node in schema_of(wsdl)]
    return {name[0].upper() + name[1:] for name in names} | {"ObjectFactory"}


def _message_elements(root: etree._Element) -> set[str]:
    return {str(part.get("element")).split(":")[1] for part in root.iter(f"{_W}part")}


def _finish_schema(schema: etree._Element, messages: set[str]) -> None:
    """Leave elements for messages only, with their types inside them.

    Then stubs hold no JAXBElement, and no type appears that a client could take for a message.
    """
    types = {str(node.get("name")): node for node in schema if node.tag != f"{_X}element"}
    for node in types.values():
        if str(node.get("name")).startswith("ArrayOf"):
            etree.strip_elements(node, f"{_X}annotation")  # Spyne repeats a member's documentation on its type
    elements = []
    for name in sorted(messages):
        element = etree.Element(f"{_X}element", name=name)
        content = types.pop(name)
        del content.attrib["name"]
        if len(content) == 0:
            etree.SubElement(content, f"{_X}sequence")  # as .NET itself writes an operation without parameters
        element.append(content)
        elements.append(element)
    schema[:] = [*elements, *(types[name] for name in sorted(types))]


def _finish_messages(root: etree._Element, faults: set[str]) -> None:
    for message in root.iter(f"{_W}message"):
        for part in message:
            part.set("name", _DETAIL if message.get("name") in faults else _MESSAGE)


def _finish_operations(root: etree._Element, names: ContractNames, soap: SoapVersion) -> None:
    for operation in root.iter(f"{_W}operation"):
        operation.attrib.pop("parameterOrder", None)  # it speaks of RPC parts, and some tools obey
        for binding in operation.iter(f"{{{soap.wsdl}}}operation"):
            binding.set("soapAction", names.action(str(operation.get("name"))))


def _rename(root: etree._Element, names: ContractNames, soap: SoapVersion) -> None:
    """Give port type, binding, service and port the names that stubs are to have."""
    suffix = "" if soap is SoapVersion.SOAP11 else "Soap12"
    binding = f"{names.title}{suffix}Binding"
    root.set("name", names.service)
    for node in root.iter(f"{_W}portType"):
        node.set("name", names.title)
    for node in root.findall(f"{_W}binding"):
        node.set("name", binding)
        node.set("type", f"tns:{names.title}")
    for node in root.iter(f"{_W}service"):
        node.set("name", names.service)
    for node in root.iter(f"{_W}port"):
        node.set("name", f"{names.title}{suffix}Port")
        node.set("binding", f"tns:{binding}")


def _document(root: etree._Element, description: str) -> None:
    for tag in ("portType", "service"):
        for node in root.iter(_W + tag):
            documentation = etree.Element(f"{_W}documentation")
            documentation.text = description
            node.insert(0, documentation)
