"""What became of a model's contracts and versions: what is published, what was refused, what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from soapsvc.errors import ModelNotFound, Unavailable
from soapsvc.model.contract import Contract, OutputField
from soapsvc.model.manager import ModelManager
from soapsvc.model.servable import Servable
from soapsvc.model.signature import Limits
from soapsvc.model.status import VersionStatus
from soapsvc.soap.application import SoapEndpoint
from soapsvc.soap.compare import differences


@dataclass(frozen=True)
class PublishedContract:
    """One major version. kept_by: the loaded versions that keep it.  changes: against the one before, in words."""

    version: int
    kept_by: Sequence[int]
    changes: Sequence[str]


@dataclass(frozen=True)
class VersionLine:
    """One version. contract: the one it keeps, None when it is not loaded.  changes: against the one loaded before it.

    since: when it came to its state.
    """

    status: VersionStatus
    contract: int | None
    since: datetime | None
    changes: Sequence[str]


def contract_history(endpoints: Sequence[SoapEndpoint], kept: dict[int, int]) -> list[PublishedContract]:
    """Return what is published, the newest first. endpoints: of one SOAP version; kept: version -> its contract."""
    found: list[PublishedContract] = []
    before: SoapEndpoint | None = None
    for endpoint in sorted(endpoints, key=lambda each: each.names.version):
        number = endpoint.names.version
        changes = [] if before is None else differences(before.wsdl, endpoint.wsdl)
        found.append(PublishedContract(number, sorted(v for v, each in kept.items() if each == number), changes))
        before = endpoint
    return found[::-1]


def version_history(manager: ModelManager, model: str) -> list[VersionLine]:
    """Return every version that is known, the newest first."""
    kept = manager.contracts(model)
    lines: list[VersionLine] = []
    before: Servable | None = None
    for status in (each for each in manager.status() if each.name == model):
        servable = _loaded(manager, model, status.version) if status.version in kept else None
        changes = list(changed(before, servable)) if before is not None and servable is not None else []
        since = status.transitions[-1][1] if status.transitions else None
        lines.append(VersionLine(status, kept.get(status.version), since, changes))
        before = servable or before
    return lines[::-1]


def changed(was: Servable, now: Servable) -> Iterator[str]:
    """Yield what one version has other than another, as far as their manifests tell."""
    if was.description != now.description:
        yield f"description: was “{was.description}”"
    if was.contract.version != now.contract.version:
        yield f"keeps contract v{now.contract.version}, before v{was.contract.version}"
    yield from _changed_labels(was.contract, now.contract)
    for each in fields(Limits):
        old, new = getattr(was.limits, each.name), getattr(now.limits, each.name)
        if old != new:
            yield f"limits.{each.name}: was {old}, is {new}"
    if was.batching != now.batching:
        yield f"batching: was {_batching(was)}, is {_batching(now)}"
    if was.runner != now.runner:
        yield f"run by {now.runner}, before by {was.runner}"


def _changed_labels(was: Contract, now: Contract) -> Iterator[str]:
    old = {field.element: field.labels for field in _flat(was)}
    for field in _flat(now):
        labels = old.get(field.element, field.labels)
        gone, new = [x for x in labels if x not in field.labels], [x for x in field.labels if x not in labels]
        for words, names in (("no longer among the labels", gone), ("new among the labels", new)):
            if names:
                yield f"{field.element}: {words}: {', '.join(names[:20])}{' …' if len(names) > 20 else ''}"


def _flat(contract: Contract) -> Iterator[OutputField]:
    for field in contract.outputs:
        yield from field.flat()


def _batching(servable: Servable) -> str:
    given = servable.batching
    return "none" if given is None else f"up to {given.max_size} within {given.max_wait_us} µs"


def _loaded(manager: ModelManager, model: str, version: int) -> Servable | None:
    try:
        with manager.handle(model, version) as servable:
            return servable
    except (ModelNotFound, Unavailable):
        return None
