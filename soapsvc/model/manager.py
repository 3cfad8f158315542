"""The model container: holds the servables and lends handles to them.

The one place that knows which versions there are and in what state. Loads each version on its own: a bad one
never stops the others, it stands in the status with its reason.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from soapsvc.errors import InvalidInput, LoadError, ModelNotFound
from soapsvc.model.servable import Servable
from soapsvc.model.signature import Limits
from soapsvc.model.source import VersionFolder

log = logging.getLogger(__name__)


class State(Enum):
    """Where a version is in its life; the names are TensorFlow Serving's."""

    START = "START"
    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass(frozen=True)
class VersionStatus:
    """State of one version; reason says why it is not available."""

    name: str
    version: int
    state: State
    reason: str = ""


class ModelManager:
    """Every loaded version of every model. Safe to use from many threads."""

    def __init__(
        self, load: Callable[[VersionFolder], Servable], labels: Mapping[str, Mapping[str, int]] | None = None
    ) -> None:
        """labels: model name -> label -> version, as {"iris": {"stable": 1}}."""
        self._load, self._labels = load, labels or {}
        self._condition = threading.Condition()  # guards the three below; notified when a handle comes back
        self._servables: dict[str, dict[int, Servable]] = {}
        self._status: dict[tuple[str, int], VersionStatus] = {}
        self._handles: Counter[tuple[str, int]] = Counter()

    def load_all(self, folders: Iterable[VersionFolder], admit: Callable[[Servable], None]) -> None:
        """Load versions one after the other; admit refuses one by raising LoadError."""
        for folder in folders:
            self.load(folder, admit)

    def load(self, folder: VersionFolder, admit: Callable[[Servable], None]) -> None:
        """Load one version and serve it, or keep the reason why it can't be served."""
        self._set_status(folder, State.LOADING)
        try:
            servable = self._load(folder)
            try:
                admit(servable)
            except BaseException:
                servable.graph.close()
                raise
        except LoadError as err:
            log.error("%s version %d is not served: %s", folder.name, folder.version, err)
            self._set_status(folder, State.END, str(err))
        except Exception as err:
            log.exception("%s version %d is not served", folder.name, folder.version)
            self._set_status(folder, State.END, f"unexpected {err.__class__.__name__}; the log has more")
        else:
            with self._condition:
                self._servables.setdefault(folder.name, {})[folder.version] = servable
            self._set_status(folder, State.AVAILABLE)
            log.info("%s version %d is available", folder.name, folder.version)

    def unload(self, name: str, version: int) -> None:
        """Stop serving a version: new handles are refused, then it is freed once the last one is back."""
        with self._condition:
            servable = self._find(name, version, None)
            versions = self._servables[name]
            del versions[servable.version]
            if not versions:
                del self._servables[name]
            self._status[name, servable.version] = VersionStatus(name, servable.version, State.UNLOADING)
            self._condition.wait_for(lambda: not self._handles[name, servable.version])
            servable.graph.close()
            self._status[name, servable.version] = VersionStatus(name, servable.version, State.END, "unloaded")

    @contextmanager
    def handle(
        self, name: str, version: int | None = None, label: str | None = None, contract: int | None = None
    ) -> Iterator[Servable]:
        """Lend a loaded servable; it cannot be unloaded until the block ends.

        With neither version nor label it is the highest loaded version. contract: only versions that keep this
        major version of the contract count. Raises ModelNotFound, or InvalidInput when both are given.
        """
        with self._condition:
            servable = self._find(name, version, label, contract)
            key = (name, servable.version)
            self._handles[key] += 1
        try:
            yield servable
        finally:
            with self._condition:
                self._handles[key] -= 1
                if not self._handles[key]:
                    self._condition.notify_all()

    def names(self) -> list[str]:
        """Return the names of the models that have a loaded version."""
        with self._condition:
            return sorted(self._servables)

    def limits_of(self, name: str) -> Limits:
        """Return the limits of a model's highest loaded version, the usual ones when it has none."""
        with self._condition:
            versions = self._servables.get(name)
            return versions[max(versions)].limits if versions else Limits()

    def status(self) -> list[VersionStatus]:
        """Return the status of every version ever seen, by name, then by version."""
        with self._condition:
            return [self._status[key] for key in sorted(self._status)]

    def _set_status(self, folder: VersionFolder, state: State, reason: str = "") -> None:
        with self._condition:
            self._status[folder.name, folder.version] = VersionStatus(folder.name, folder.version, state, reason)

    def _find(self, name: str, version: int | None, label: str | None, contract: int | None = None) -> Servable:
        versions = {
            number: servable
            for number, servable in self._servables.get(name, {}).items()
            if contract is None or servable.contract.version == contract
        }
        if not versions and name in self._servables:
            raise ModelNotFound("unknown-model", f"{name} has no version that keeps contract {contract}")
        if not versions:
            known = ", ".join(sorted(self._servables)) or "none"
            raise ModelNotFound("unknown-model", f"no model named {name!r} is available; available are {known}")
        if version is not None and label is not None:
            raise InvalidInput("ambiguous-version", "label", "a version or a label", "both")
        if label is not None:
            version = self._labels.get(name, {}).get(label)
            if version is None:
                raise ModelNotFound("unknown-label", f"{name} has no label {label!r}")
        if version is None:
            return versions[max(versions)]
        if version not in versions:
            known = ", ".join(map(str, sorted(versions)))
            raise ModelNotFound("unknown-version", f"{name} has no version {version}; available are {known}")
        return versions[version]
