"""A running service, reached over SOAP with zeep, as any client reaches it.

The address is enough: its WSDL has the elements, the generic service beside it dtypes and names of tensors.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import requests
import zeep
from lxml import etree
from zeep import xsd

from soapsvc.authoring.source import SourceError
from soapsvc.model.contract import InputField
from soapsvc.predict.remote_form import form_of
from soapsvc.predict.service import Answer, Refused, Row
from soapsvc.soap.ns import WSDL
from soapsvc.soap.tensors import CARRIERS
from soapsvc.soap.text import number, numbers

EXAMPLE = "http://host:8080/soap/iris/v1"
logging.getLogger("zeep").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Access:
    """How to reach a server. ca: certificates to trust instead of the usual ones. user: name and password."""

    timeout_s: float = 60.0
    ca: Path | None = None
    user: tuple[str, str] | None = None


class _Session(requests.Session):
    """A session whose certificates win over REQUESTS_CA_BUNDLE; in requests the variable wins."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Return the settings of one request."""
        own = self.verify if verify is None else verify
        return super().merge_environment_settings(url, proxies, stream, own, cert)


class RemoteService:
    """One model's typed service at its address, of SOAP 1.1 or 1.2, pinned to a version or not."""

    def __init__(self, url: str, access: Access) -> None:
        """Read the WSDL and ask for limits and dtypes. Raises SourceError."""
        if "@" in urlsplit(url).netloc:
            raise SourceError("expected a URL without a user or a password; give --user NAME")
        self._url = urlunsplit(urlsplit(url)._replace(query="", fragment="")).rstrip("/")
        self._access = access
        self._session = _Session()
        self._session.auth = access.user
        if access.ca is not None:
            self._session.verify = str(access.ca)
        self._client, self._service = self._connect(self._url)
        operations = self._operations()
        result = operations["predict"].output.body.type.elements[0][1].type
        self._types = {
            "predict": result,
            "predictBatch": operations["predictBatch"].output.body.type.elements[0][1].type,
        }
        with self._reaching():
            info = self._service.getModelInfo()
            metadata = self._metadata(info.name, info.modelVersion)
        instance = operations["predictBatch"].input.body.type.elements[0][1].type.elements[0][1].type
        self.form = form_of(instance.elements, metadata, info.maxBatch)

    def predict(self, rows: Sequence[Row]) -> list[Answer]:
        """Return an answer for each row; see `Service`."""
        instances = [
            {field.element: _sent(field, value) for field, value in zip(self.form.inputs, row, strict=True)}
            for row in rows
        ]
        with self._reaching():
            if len(instances) == 1:
                return [_plain(self._types["predict"], self._service.predict(**instances[0]))]
            answers = self._service.predictBatch(instances={"item": instances})
        found: list[Answer] = _plain(self._types["predictBatch"], answers)
        return found

    def _connect(self, address: str) -> tuple[Any, Any]:
        """Return zeep's client and its proxy of the service at the address given, whatever the WSDL names."""
        transport = zeep.Transport(
            timeout=self._access.timeout_s, operation_timeout=self._access.timeout_s, session=self._session
        )
        with self._reaching():
            content = transport.load(f"{address}?wsdl")
        try:
            root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError as err:
            raise self._no_wsdl(address) from err
        if root.tag != f"{{{WSDL}}}definitions" or not root.get("targetNamespace", "").startswith("urn:soapsvc:"):
            raise self._no_wsdl(address)
        client = zeep.Client(BytesIO(content), transport=transport, settings=zeep.Settings(xml_huge_tree=True))
        (binding,) = client.wsdl.bindings
        return client, client.create_service(binding, address)

    def _operations(self) -> dict[str, Any]:
        (binding,) = self._client.wsdl.bindings.values()
        operations: dict[str, Any] = binding._operations
        if not {"predict", "predictBatch", "getModelInfo"} <= set(operations):
            raise SourceError(
                f"{self._url}: expected a model's service, with predict and predictBatch, as {EXAMPLE}; "
                f"found {', '.join(operations)}"
            )
        return operations

    def _metadata(self, model: str, version: int) -> Any:
        """Return the generic service's ModelMetadata, None where a proxy hides that service."""
        head, _, _ = self._url.rpartition(f"/{model}/v")
        try:
            return self._connect(f"{head}/inference/v1")[1].getModel(model, version)
        except (SourceError, zeep.exceptions.Error):
            return None

    def _no_wsdl(self, address: str) -> SourceError:
        return SourceError(
            f"{address}?wsdl: expected the WSDL of a model, found something else; an address is as {EXAMPLE}"
        )

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Turn what can happen on the way into one sentence. Raises Refused at a fault, else SourceError."""
        try:
            yield
        except zeep.exceptions.Fault as err:
            raise Refused(err.message) from err
        except zeep.exceptions.TransportError as err:
            raise self._http_error(err.status_code) from err
        except requests.HTTPError as err:
            raise self._http_error(err.response.status_code) from err
        except requests.exceptions.SSLError as err:
            raise SourceError(
                f"{self._url}: TLS failed: {_innermost(err)}; for a certificate of your own give --ca FILE"
            ) from err
        except requests.Timeout as err:
            raise SourceError(
                f"{self._url}: no answer within {self._access.timeout_s:g} s; wait longer with --timeout"
            ) from err
        except (requests.RequestException, OSError) as err:
            raise SourceError(f"{self._url}: the server can't be reached: {_innermost(err)}") from err
        except zeep.exceptions.Error as err:
            raise SourceError(f"{self._url}: the answer is not what its WSDL promises: {err}") from err

    def _http_error(self, status: int) -> SourceError:
        if status == 401:
            cure = "check --user and its password" if self._access.user else "give --user NAME"
            return SourceError(f"{self._url}: HTTP 401, the server wants a user and a password; {cure}")
        return SourceError(f"{self._url}: HTTP {status}; expected a service, as {EXAMPLE}")


def _innermost(error: BaseException) -> str:
    """Return the words of the first cause, which say most: `Connection refused`."""
    while isinstance(cause := error.__cause__ or error.__context__, Exception):
        error = cause
    return getattr(error, "strerror", None) or str(error) or error.__class__.__name__


def _sent(field: InputField, value: Any) -> Any:
    """Return a value as zeep takes it; floats as text, for it would spell them nan and inf."""
    if value is None or isinstance(value, bool | str | bytes):
        return value
    if field.kind == "tensor":
        dtype, shape, *carried = value
        record = {name: _items(part) for name, part in zip(CARRIERS, carried, strict=True)}
        return {"dtype": dtype, "shape": _items(shape)} | record
    return _items(value) if field.kind == "vector" else number(value)


def _items(values: Any) -> Any:
    if values is None or isinstance(values, bytes):
        return values
    if not isinstance(values, np.ndarray):
        return {"item": list(values)}
    return {"item": values.tolist() if values.dtype == np.bool_ else numbers(values)}


def _plain(kind: Any, value: Any) -> Any:
    """Return a value of zeep's as plain lists, dicts and values. kind: its type in the WSDL."""
    if not isinstance(kind, xsd.ComplexType):
        return {xsd.String: "", xsd.Base64Binary: b""}.get(type(kind)) if value is None else value
    members = kind.elements
    if [name for name, _ in members] == ["item"]:
        items = value if isinstance(value, list) or value is None else value.item
        return [_plain(members[0][1].type, each) for each in items or []]
    given = {name: (member, getattr(value, name)) for name, member in members}
    return {
        name: _plain(member.type, each)
        for name, (member, each) in given.items()
        if each is not None or not member.is_optional
    }
