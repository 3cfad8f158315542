"""The published contracts: which endpoints there are, and the gate that a model version must pass.

A contract is published by the first version that carries it and is frozen from then on.
"""

from __future__ import annotations

import threading

from soapsvc.engine import Engine
from soapsvc.engine.local import LocalEngine
from soapsvc.errors import LoadError
from soapsvc.model.contract import Contract
from soapsvc.model.manager import ModelManager
from soapsvc.model.servable import Servable
from soapsvc.model.signature import Limits
from soapsvc.model.source import VersionFolder
from soapsvc.soap.application import SoapEndpoint
from soapsvc.soap.compare import broken_promises
from soapsvc.soap.inference import DESCRIPTION, NAMES, inference_service
from soapsvc.soap.ns import ContractNames, SoapVersion
from soapsvc.soap.service import summary, typed_service
from soapsvc.soap.wsdl import stub_classes

Key = tuple[SoapVersion, str, int]  # SOAP version, model, contract version


class Contracts:
    """Every endpoint by SOAP version, model and contract version. Safe to use from many threads."""

    def __init__(self, manager: ModelManager, engine: Engine) -> None:
        self._manager, self._engine = manager, engine
        self._lock = threading.Lock()  # guards _endpoints while a contract is published
        self._endpoints: dict[Key, SoapEndpoint] = {}
        for soap in SoapVersion:
            service = inference_service(manager, engine)
            self._endpoints[soap, NAMES.model, NAMES.version] = SoapEndpoint(NAMES, service, soap, DESCRIPTION)

    def admit(self, servable: Servable) -> None:
        """Publish the contract of a model's first version, or raise LoadError when a later one breaks it."""
        if servable.name == NAMES.model:
            raise LoadError(f"the name {NAMES.model} belongs to the generic service; choose another")
        offered = {soap: self.endpoint_of(servable.contract, soap) for soap in SoapVersion}
        with self._lock:
            published = self._endpoints.get((SoapVersion.SOAP11, servable.name, servable.contract.version))
            if published is None:
                for soap, endpoint in offered.items():
                    self._endpoints[soap, servable.name, servable.contract.version] = endpoint
                return
        differences = broken_promises(published.wsdl, offered[SoapVersion.SOAP11].wsdl)
        if differences:
            contract = f"contract v{servable.contract.version} of {servable.name}"
            raise LoadError(
                f"breaks the published {contract}: {'; '.join(differences)}. "
                "Keep the contract, or give the changed one a new contract.version"
            )

    def endpoint_of(self, contract: Contract, soap: SoapVersion) -> SoapEndpoint:
        """Return a new endpoint for a contract, without publishing it. Raises LoadError at a name stubs can't bear."""
        service = typed_service(contract, self._manager, self._engine)
        names = ContractNames(contract.model, contract.version)
        endpoint = SoapEndpoint(names, service, soap, summary(contract))
        if names.title in stub_classes(endpoint.wsdl):
            raise LoadError(
                f"the name {contract.model} would give stubs two classes named {names.title}; choose another"
            )
        return endpoint

    def limits_of(self, model: str) -> Limits:
        """Return the limits of a model's highest loaded version; the usual ones for the generic service."""
        return self._manager.limits_of(model)

    def find(self, soap: SoapVersion, model: str, version: int) -> SoapEndpoint | None:
        """Return a published endpoint."""
        return self._endpoints.get((soap, model, version))

    def all(self) -> list[SoapEndpoint]:
        """Return every endpoint: by model, the generic one last; SOAP 1.1 before 1.2."""
        with self._lock:
            keys = list(self._endpoints)
        keys.sort(key=lambda key: (key[1] == NAMES.model, key[1], key[2], key[0].value))
        return [self._endpoints[key] for key in keys]


def lone_endpoint(folder: VersionFolder, servable: Servable, soap: SoapVersion) -> SoapEndpoint:
    """Return the endpoint of one loaded version, beside which there is no other. Raises LoadError."""
    manager = ModelManager(lambda _: servable)
    contracts = Contracts(manager, LocalEngine())
    contracts.admit(servable)
    manager.load(folder, lambda _: None)
    endpoint = contracts.find(soap, servable.name, servable.contract.version)
    assert endpoint is not None
    return endpoint
