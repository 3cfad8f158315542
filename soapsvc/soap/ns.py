"""Names and namespaces of contracts and of the SOAP specifications."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

XSD = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XOP = "http://www.w3.org/2004/08/xop/include"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
HTTP_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"


class SoapVersion(Enum):
    """SOAP 1.1 and 1.2 with what differs between them on the wire."""

    SOAP11 = "1.1"
    SOAP12 = "1.2"

    @property
    def envelope(self) -> str:
        """The envelope's namespace."""
        if self is SoapVersion.SOAP11:
            return "http://schemas.xmlsoap.org/soap/envelope/"
        return "http://www.w3.org/2003/05/soap-envelope"

    @property
    def wsdl(self) -> str:
        """The namespace of the WSDL 1.1 binding elements."""
        return f"http://schemas.xmlsoap.org/wsdl/{'soap' if self is SoapVersion.SOAP11 else 'soap12'}/"

    @property
    def mime_type(self) -> str:
        """The media type of a message without its parameters."""
        return "text/xml" if self is SoapVersion.SOAP11 else "application/soap+xml"

    @property
    def content_type(self) -> str:
        """The Content-Type of our answers."""
        return f"{self.mime_type}; charset=utf-8"

    @property
    def path(self) -> str:
        """The first step of an endpoint's path."""
        return "soap" if self is SoapVersion.SOAP11 else "soap12"


VERSION_OF = {version.envelope: version for version in SoapVersion}


@dataclass(frozen=True)
class ContractNames:
    """What everything of one contract is called. model: a model's name, or `inference`; version: v1 is 1."""

    model: str
    version: int

    @property
    def namespace(self) -> str:
        """The target namespace: it holds no host name, for it must never change."""
        return f"urn:soapsvc:{self.model}:v{self.version}"

    @property
    def title(self) -> str:
        """The model's name as a class would be named: `digit-reader` gives `DigitReader`."""
        return "".join(word.capitalize() for word in self.model.split("-"))

    @property
    def service(self) -> str:
        """The name of the wsdl:service, hence of the class that stubs start from."""
        return f"{self.title}Service"

    def action(self, operation: str) -> str:
        """Return the SOAPAction of an operation."""
        return f"{self.namespace}:{operation}"

    def path(self, soap: SoapVersion) -> str:
        """Return the path of the contract's endpoint."""
        return f"/{soap.path}/{self.model}/v{self.version}"

    def element(self, name: str) -> str:
        """Return a name qualified by the namespace, as lxml writes it."""
        return f"{{{self.namespace}}}{name}"
