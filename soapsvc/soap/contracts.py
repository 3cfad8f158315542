"""The published contracts: which endpoints there are, and the gate that a model version must pass.

A published contract is frozen. It is the WSDL in the contracts folder, where there is one for model and contract
version; else that of the first version that was loaded, or of the lowest one that stands in the models folder.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from lxml import etree

from soapsvc.engine import Engine
from soapsvc.engine.local import LocalEngine
from soapsvc.errors import LoadError
from soapsvc.model.contract import Contract, OutputField
from soapsvc.model.manager import ModelManager
from soapsvc.model.servable import Servable
from soapsvc.model.signature import Limits
from soapsvc.model.source import VersionFolder
from soapsvc.session.sessions import Sessions
from soapsvc.session.sqlite_store import SqliteStore
from soapsvc.soap.application import SoapEndpoint
from soapsvc.soap.compare import broken_promises
from soapsvc.soap.disclosure import Disclosure, of_generic, of_typed
from soapsvc.soap.inference import DESCRIPTION, NAMES, inference_service
from soapsvc.soap.ns import ContractNames, SoapVersion
from soapsvc.soap.service import summary, typed_service
from soapsvc.soap.wsdl import read_wsdl, stub_classes

Key = tuple[SoapVersion, str, int]  # SOAP version, model, contract version


class Contracts:
    """Every endpoint by SOAP version, model and contract version. Safe to use from many threads."""

    def __init__(
        self, manager: ModelManager, engine: Engine, golden: Path | None = None, sessions: Sessions | None = None
    ) -> None:
        """golden: folder of the published WSDLs, `<model>.wsdl` and `<model>.v2.wsdl`.

        sessions: None keeps conversations in this process's memory.
        """
        self._manager, self._engine, self._golden = manager, engine, golden
        self.sessions = sessions or Sessions(SqliteStore())
        self._lock = threading.Lock()  # guards the three below while one of them changes
        self._endpoints: dict[Key, SoapEndpoint] = {}
        self._expected: dict[tuple[str, int], Contract] = {}
        self._admitted: dict[tuple[str, int], Contract] = {}  # that of the version admitted last
        for soap in SoapVersion:
            service = inference_service(manager, engine)
            endpoint = SoapEndpoint(NAMES, service, soap, DESCRIPTION, lambda: of_generic(manager.typed_contracts()))
            self._endpoints[soap, NAMES.model, NAMES.version] = endpoint

    def expect(self, model: str, contracts: Sequence[Contract]) -> None:
        """Tell a model's contracts, that of the lowest version first: the first of each major version counts."""
        first: dict[tuple[str, int], Contract] = {}
        for contract in contracts:
            first.setdefault((model, contract.version), contract)
        with self._lock:
            others = {key: contract for key, contract in self._expected.items() if key[0] != model}
            self._expected = others | first

    def admit(self, servable: Servable) -> None:
        """Publish a version's contract if none is published, or raise LoadError when it breaks the published one."""
        if servable.name == NAMES.model:
            raise LoadError(f"the name {NAMES.model} belongs to the generic service; choose another")
        contract = servable.contract
        admitted = self._admitted.get((contract.model, contract.version))
        if admitted is not None and _for_stubs(admitted) == _for_stubs(contract):
            return  # Spyne never lets go of the classes of an endpoint: none is made for nothing
        offered = self.endpoint_of(contract, SoapVersion.SOAP11)
        published = self._published(contract)
        differences = broken_promises(published, offered.wsdl) if published is not None else []
        if differences:
            raise LoadError(
                f"breaks the published contract v{contract.version} of {contract.model}: {'; '.join(differences)}. "
                "Keep the contract, or give the changed one a new contract.version"
            )
        new = (offered, self.endpoint_of(contract, SoapVersion.SOAP12)) if admitted is None else ()
        with self._lock:
            self._endpoints |= {(each.soap, contract.model, contract.version): each for each in new}
            self._admitted[contract.model, contract.version] = contract

    def _published(self, contract: Contract) -> etree._Element | None:
        """Return the WSDL that a contract has to keep, None when it is the first. Raises LoadError at a bad file."""
        published = self.find(SoapVersion.SOAP11, contract.model, contract.version)
        if published is not None:
            return published.wsdl
        suffix = "" if contract.version == 1 else f".v{contract.version}"
        path = self._golden and self._golden / f"{contract.model}{suffix}.wsdl"
        if path and path.exists():
            return read_wsdl(path)
        with self._lock:
            expected = self._expected.get((contract.model, contract.version))
        if expected is None:
            return None
        try:
            return self.endpoint_of(expected, SoapVersion.SOAP11).wsdl
        except LoadError:  # at this name no version can publish
            return None

    def endpoint_of(self, contract: Contract, soap: SoapVersion) -> SoapEndpoint:
        """Return a new endpoint for a contract, without publishing it. Raises LoadError at a name stubs can't bear."""
        service = typed_service(contract, self._manager, self._engine, self.sessions)
        names = ContractNames(contract.model, contract.version)
        disclosure = partial(_disclosure, self._manager, contract.model)
        endpoint = SoapEndpoint(names, service, soap, summary(contract), disclosure)
        if names.title in stub_classes(endpoint.wsdl):
            raise LoadError(
                f"the name {contract.model} would give stubs two classes named {names.title}; choose another"
            )
        return endpoint

    def limits_of(self, model: str) -> Limits:
        """Return the limits of a model's highest loaded version; the usual ones for the generic service."""
        return self._manager.limits_of(model)

    def calls_wait(self, model: str) -> bool:
        """Return whether calls of a model wait; see `Servable.calls_wait`."""
        return self._manager.calls_wait(model)

    def find(self, soap: SoapVersion, model: str, version: int) -> SoapEndpoint | None:
        """Return a published endpoint."""
        return self._endpoints.get((soap, model, version))

    def all(self) -> list[SoapEndpoint]:
        """Return every endpoint: by model, the generic one last; SOAP 1.1 before 1.2."""
        with self._lock:
            keys = list(self._endpoints)
        keys.sort(key=lambda key: (key[1] == NAMES.model, key[1], key[2], key[0].value))
        return [self._endpoints[key] for key in keys]


def unserved_contracts() -> Contracts:
    """Return contracts of no server: their endpoints tell their WSDL, and have no model to answer with."""
    return Contracts(ModelManager(_no_load), LocalEngine())


def _no_load(folder: VersionFolder) -> Servable:
    raise LoadError(f"{folder.name}: only a server loads models")


def lone_endpoint(folder: VersionFolder, servable: Servable, soap: SoapVersion) -> SoapEndpoint:
    """Return the endpoint of one loaded version, beside which there is no other. Raises LoadError."""
    manager = ModelManager(lambda _: servable)
    contracts = Contracts(manager, LocalEngine())
    contracts.admit(servable)
    manager.load(folder, lambda _: None)
    endpoint = contracts.find(soap, servable.name, servable.contract.version)
    assert endpoint is not None
    return endpoint


def _disclosure(manager: ModelManager, model: str) -> Disclosure:
    return of_typed(manager.typed_contracts(model))


def _for_stubs(contract: Contract) -> Contract:
    """Return a contract without what no stub depends on, as tensor names: if two are equal, so are the stubs."""
    inputs = tuple(replace(field, tensor="", sensitive=False, description="") for field in contract.inputs)
    outputs = tuple(_without_words(field) for field in contract.outputs)
    return replace(contract, description="", inputs=inputs, outputs=outputs)


def _without_words(field: OutputField) -> OutputField:
    members = tuple(_without_words(member) for member in field.members)
    return replace(field, tensor="", sensitive=False, description="", labels=(), members=members)
