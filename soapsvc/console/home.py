"""The page at `/`: models, versions and their state, WSDLs, and a sample request for each operation."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from soapsvc import __version__
from soapsvc.errors import ModelNotFound, Unavailable
from soapsvc.model.manager import ModelManager
from soapsvc.model.status import LabelStatus, VersionStatus
from soapsvc.soap.application import SoapEndpoint
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.inference import DESCRIPTION, NAMES
from soapsvc.soap.samples import inference_samples, typed_samples


@dataclass(frozen=True)
class _Operation:
    name: str
    action: str
    sample: str


@dataclass(frozen=True)
class _Service:
    """One endpoint as the page shows it."""

    endpoint: SoapEndpoint
    url: str
    operations: tuple[_Operation, ...]


class HomePage:
    """Renders the page anew at each request, from what is loaded then."""

    def __init__(self, manager: ModelManager, contracts: Contracts, base_url: str) -> None:
        self._manager, self._contracts, self._base_url = manager, contracts, base_url
        environment = Environment(
            loader=PackageLoader("soapsvc.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._template = environment.get_template("home.html")

    def __call__(self) -> str:
        """Return the page's HTML."""
        status: dict[str, list[VersionStatus]] = {}
        for version in self._manager.status():
            status.setdefault(version.name, []).append(version)
        services: dict[str, list[_Service]] = {}
        for endpoint in self._contracts.all():
            services.setdefault(endpoint.names.model, []).append(self._service(endpoint))
        labels: dict[str, list[LabelStatus]] = {}
        for label in self._manager.labels():
            labels.setdefault(label.name, []).append(label)
        models = [name for name in sorted(status.keys() | services.keys()) if name != NAMES.model] + [NAMES.model]
        about = {name: self._about(name) for name in models}
        return self._template.render(
            models=models, about=about, status=status, labels=labels, services=services, release=__version__
        )  # fmt: skip

    def _about(self, name: str) -> str:
        """Return what a model says of itself, nothing where no version can answer."""
        if name == NAMES.model:
            return DESCRIPTION
        try:
            with self._manager.handle(name) as servable:
                return servable.description
        except (ModelNotFound, Unavailable):
            return ""

    def _service(self, endpoint: SoapEndpoint) -> _Service:
        samples = self._samples(endpoint)
        operations = tuple(_Operation(name, endpoint.names.action(name), samples[name].decode()) for name in samples)
        return _Service(endpoint, self._base_url + endpoint.names.path(endpoint.soap), operations)

    def _samples(self, endpoint: SoapEndpoint) -> dict[str, bytes]:
        """Return no samples where no version could answer them."""
        names = endpoint.names
        try:
            if names.model == NAMES.model:
                with self._manager.handle(next(iter(self._manager.names()), "")) as servable:
                    return inference_samples(endpoint, servable)
            with self._manager.handle(names.model, contract=names.version) as servable:
                return typed_samples(endpoint, servable)
        except (ModelNotFound, Unavailable):
            return {}
