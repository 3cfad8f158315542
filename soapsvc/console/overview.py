"""The page at `/`: each model with its state, versions, labels and recent calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from soapsvc.console.activity import Activity, Minutes
from soapsvc.console.request import Answer, Request
from soapsvc.console.templates import Templates
from soapsvc.errors import ModelNotFound, Unavailable
from soapsvc.model.manager import ModelManager
from soapsvc.model.status import LabelStatus, State, VersionStatus
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.inference import DESCRIPTION, NAMES


@dataclass
class ModelLine:
    """One model as the page lists it. contracts: the major versions that are published."""

    name: str
    about: str
    versions: list[VersionStatus] = field(default_factory=list)
    labels: list[LabelStatus] = field(default_factory=list)
    contracts: list[int] = field(default_factory=list)
    minutes: Minutes | None = None

    @property
    def state(self) -> str:
        """What a reader should see first: `good`, `warn` where something is amiss, `bad` where nothing answers."""
        available = [version for version in self.versions if version.state is State.AVAILABLE]
        amiss = [version for version in self.versions if version.failed or version.state is State.UNAVAILABLE]
        if self.name == NAMES.model:
            return "good"
        if not available:
            return "bad" if amiss else "warn"
        return "warn" if amiss else "good"


class Overview:
    """Renders the page anew at each request, from what is loaded then."""

    def __init__(
        self, templates: Templates, manager: ModelManager, contracts: Contracts, activity: Activity | None
    ) -> None:
        self._templates, self._manager, self._contracts, self._activity = templates, manager, contracts, activity

    def __call__(self, request: Request, places: Mapping[str, str]) -> Answer:
        """Return the page."""
        return self._templates.page(request, "overview.html", models=self.models())

    def models(self) -> Sequence[ModelLine]:
        """Return every model, whether it is loaded or not; the generic service last."""
        status, labels, contracts = self._manager.status(), self._manager.labels(), self._contracts.all()
        names = {each.name for each in status} | {each.names.model for each in contracts}
        minutes = self._activity.models() if self._activity else {}
        lines = {
            name: ModelLine(name, about(self._manager, name), minutes=minutes.get(name))
            for name in sorted(names, key=lambda name: (name == NAMES.model, name))
        }
        for version in status:
            lines[version.name].versions.append(version)
        for label in labels:
            if label.name in lines:
                lines[label.name].labels.append(label)
        for endpoint in contracts:
            published = lines[endpoint.names.model].contracts
            if endpoint.names.version not in published:
                published.append(endpoint.names.version)
        return list(lines.values())


def about(manager: ModelManager, name: str) -> str:
    """Return what a model says of itself, nothing where no version can answer."""
    if name == NAMES.model:
        return DESCRIPTION
    try:
        with manager.handle(name) as servable:
            return servable.description
    except (ModelNotFound, Unavailable):
        return ""
