"""The page at `/`: each model with its state, versions, labels and recent calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soapsvc.console.actions import DONE
from soapsvc.console.activity import Activity
from soapsvc.console.admin import Admin, keeping
from soapsvc.console.request import Answer, Request
from soapsvc.console.templates import Templates
from soapsvc.console.traffic import Traffic, traffic
from soapsvc.errors import ModelNotFound, Unavailable
from soapsvc.model.manager import ModelManager
from soapsvc.model.status import LabelStatus, State, VersionStatus
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.inference import DESCRIPTION, NAMES
from soapsvc.soap.service import summary

Fleet = Callable[[], Mapping[str, Any]]  # the content of /health/models


@dataclass
class ModelLine:
    """One model as the page lists it. about: what it does, in a sentence."""

    name: str
    about: str
    versions: list[VersionStatus] = field(default_factory=list)
    labels: list[LabelStatus] = field(default_factory=list)
    traffic: Traffic | None = None

    @property
    def is_generic(self) -> bool:
        """Whether it is the service of all models rather than a model."""
        return self.name == NAMES.model

    @property
    def serving(self) -> list[VersionStatus]:
        """The versions that answer, the highest first."""
        return [version for version in reversed(self.versions) if version.state is State.AVAILABLE]

    @property
    def amiss(self) -> list[VersionStatus]:
        """The versions that should answer and don't."""
        return [version for version in self.versions if version.failed or version.state is State.UNAVAILABLE]

    @property
    def state(self) -> tuple[str, str]:
        """The kind and the words of the state that a reader should see first."""
        if self.is_generic:
            return "good", "available"
        if self.serving:
            return ("warn", "in part") if self.amiss else ("good", "available")
        if self.amiss:
            return "bad", "not available"
        return "accent", self.versions[-1].state.value.lower() if self.versions else "unloaded"


class Overview:
    """Renders the page anew at each request, from what is loaded then."""

    def __init__(
        self, templates: Templates, manager: ModelManager, contracts: Contracts, fleet: Fleet, admin: Admin | None,
        activity: Activity,
    ) -> None:  # fmt: skip
        self._templates, self._manager, self._contracts = templates, manager, contracts
        self._fleet, self._admin, self._activity = fleet, admin, activity

    def __call__(self, request: Request, places: Mapping[str, str]) -> Answer:
        """Return the page."""
        visit = self._admin.visit(request) if self._admin else None
        fleet = self._fleet()
        page = self._templates.page(
            request, "overview.html", models=self.models(), visit=visit,
            problems=fleet["problems"], workers=fleet["workers"], done=DONE.get(request.query.get("done", ""), ""),
        )  # fmt: skip
        return keeping(page, visit)

    def models(self) -> Sequence[ModelLine]:
        """Return every model, whether it is loaded or not; the generic service last."""
        status = self._manager.status()
        names = {each.name for each in status} | {each.names.model for each in self._contracts.all()}
        minutes = self._activity.models()
        lines = {
            name: ModelLine(
                name, purpose(self._manager, name), traffic=traffic(minutes[name]) if name in minutes else None
            )
            for name in sorted(names, key=lambda name: (name == NAMES.model, name))
        }
        for version in status:
            if version.name in lines:
                lines[version.name].versions.append(version)
        for label in self._manager.labels():
            if label.name in lines:
                lines[label.name].labels.append(label)
        return list(lines.values())


def purpose(manager: ModelManager, name: str) -> str:
    """Return what a model does in a sentence, nothing where no version can answer."""
    if name == NAMES.model:
        return DESCRIPTION
    try:
        with manager.handle(name) as servable:
            return summary(servable.contract)
    except (ModelNotFound, Unavailable):
        return ""
