"""The page of one model: what it does, how to call it, and what became of its contracts and versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from soapsvc.console.actions import DONE
from soapsvc.console.admin import Admin, keeping
from soapsvc.console.history import contract_history, version_history
from soapsvc.console.request import Answer, Request
from soapsvc.console.samples import Sample, Samples
from soapsvc.console.snippets.guides import FirstCall, Guide, guides
from soapsvc.console.templates import Templates
from soapsvc.errors import ModelNotFound, Unavailable
from soapsvc.model.manager import ModelManager
from soapsvc.soap.application import SoapEndpoint
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.inference import DESCRIPTION, NAMES
from soapsvc.soap.ns import SoapVersion
from soapsvc.soap.plain_words import operations

SHOWN = 16_000  # characters of a message that a page shows; a longer one can be had as a file


@dataclass(frozen=True)
class Chosen:
    """The contract that a page is about, in the two SOAP versions, and the one that its samples are in."""

    soap11: SoapEndpoint
    soap12: SoapEndpoint
    shown: SoapEndpoint

    @property
    def both(self) -> tuple[SoapEndpoint, SoapEndpoint]:
        """Both endpoints."""
        return self.soap11, self.soap12


class ModelPages:
    """Everything under a model's path that tells how to call it. Renders what is loaded at each request."""

    def __init__(
        self, templates: Templates, manager: ModelManager, contracts: Contracts, wsdl_base_url: str, admin: Admin | None
    ) -> None:
        """wsdl_base_url: the server's address as its WSDLs name it."""
        self._templates, self._manager, self._contracts = templates, manager, contracts
        self._wsdl_base_url, self._admin = wsdl_base_url, admin
        self.samples = Samples(manager)

    def __call__(self, request: Request, places: Mapping[str, str]) -> Answer | None:
        """Return the page of a model, None where there is no such model."""
        model = places["model"]
        versions = version_history(self._manager, model)
        chosen = self.chosen(request, model)
        if chosen is None and not versions:
            return None
        visit = self._admin.visit(request) if self._admin else None
        samples = self.samples.of(chosen.shown) if chosen else []
        page = self._templates.page(
            request, "model.html", model=model, about=self._about(model), chosen=chosen, samples=samples,
            operations=operations(chosen.shown.wsdl) if chosen else [], shown=SHOWN, versions=versions,
            contracts=contract_history(self._endpoints(model), self._manager.contracts(model)),
            labels=[each for each in self._manager.labels() if each.name == model],
            guides=self.guides(request, chosen) if chosen else [], base_url=request.base_url,
            wsdl_base_url=self._wsdl_base_url, visit=visit, done=DONE.get(request.query.get("done", ""), ""),
        )  # fmt: skip
        return keeping(page, visit)

    def chosen(self, request: Request, model: str) -> Chosen | None:
        """Return the contract and the SOAP version that a request's query asks for, without one the newest and 1.1."""
        published = [each.names.version for each in self._endpoints(model)]
        wanted = request.query.get("contract") or str(max(published, default=0))
        if wanted not in map(str, published):
            return None
        soap11, soap12 = (self._contracts.find(soap, model, int(wanted)) for soap in SoapVersion)
        assert soap11 is not None
        assert soap12 is not None
        return Chosen(soap11, soap12, soap12 if request.query.get("soap") == "1.2" else soap11)

    def guides(self, request: Request, chosen: Chosen) -> Sequence[Guide]:
        """Return how to make a first call, nothing where no version can answer."""
        sample = first_sample(self.samples.of(chosen.soap11))
        if sample is None:
            return []
        call = FirstCall(chosen.soap11.names, sample.operation, sample.values, request.base_url)
        return guides(call, self._templates.text)

    def _about(self, model: str) -> str:
        """Return all that the highest version says of itself, nothing where none can answer."""
        if model == NAMES.model:
            return DESCRIPTION
        try:
            with self._manager.handle(model) as servable:
                return servable.description
        except (ModelNotFound, Unavailable):
            return ""

    def _endpoints(self, model: str) -> list[SoapEndpoint]:
        return [each for each in self._contracts.all() if each.names.model == model and each.soap is SoapVersion.SOAP11]


def first_sample(samples: Sequence[Sample]) -> Sample | None:
    """Return the sample that a first call makes: of `predict`."""
    return next((each for each in samples if each.operation.name == "predict"), None)
