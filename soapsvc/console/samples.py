"""A sample request for each operation of an endpoint, with what the model answers to it now."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from soapsvc.errors import ModelNotFound, Unavailable
from soapsvc.model.manager import ModelManager
from soapsvc.model.servable import Servable
from soapsvc.soap.application import SoapEndpoint
from soapsvc.soap.inference import NAMES
from soapsvc.soap.plain_words import Operation, Value, operations, request_values
from soapsvc.soap.samples import inference_samples, sample_answer, typed_samples


@dataclass(frozen=True)
class Sample:
    """One operation with a request that works when pasted, and its answer."""

    operation: Operation
    request: str
    answer: str

    @property
    def values(self) -> tuple[Value, ...]:
        """What the request holds."""
        return request_values(self.operation, self.request.encode())


class Samples:
    """Makes each sample once for each version of a model. Safe to use from many threads."""

    def __init__(self, manager: ModelManager) -> None:
        self._manager = manager
        self._lock = threading.Lock()  # guards what is kept
        self._kept: dict[SoapEndpoint, tuple[tuple[str, int], list[Sample]]] = {}

    def of(self, endpoint: SoapEndpoint) -> list[Sample]:
        """Return the samples of an endpoint in its operations' order, none where no version can answer."""
        names = endpoint.names
        generic = names.model == NAMES.model
        model = next(iter(self._manager.names()), "") if generic else names.model
        try:
            with self._manager.handle(model, contract=None if generic else names.version) as servable:
                return self._of(endpoint, servable)
        except (ModelNotFound, Unavailable):
            return []

    def _of(self, endpoint: SoapEndpoint, servable: Servable) -> list[Sample]:
        version = (servable.name, servable.version)
        with self._lock:
            known = self._kept.get(endpoint)
        if known is not None and known[0] == version:
            return known[1]
        make = inference_samples if endpoint.names.model == NAMES.model else typed_samples
        requests = make(endpoint, servable)
        made = [
            Sample(each, requests[each.name].decode(), sample_answer(endpoint, requests[each.name]).decode())
            for each in operations(endpoint.wsdl)
        ]
        with self._lock:
            self._kept[endpoint] = (version, made)
        return made
