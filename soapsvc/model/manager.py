"""The model container: holds the servables and lends handles to them.

The one place that knows which versions there are and in what state. Loads each version on its own: a bad one
never stops the others, it stands in the status with its reason.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from soapsvc.errors import InvalidInput, LoadError, ModelNotFound, Unavailable
from soapsvc.model.contract import Contract
from soapsvc.model.pins import models_of, why_not
from soapsvc.model.placed_labels import Labels, PlacedLabels
from soapsvc.model.servable import Pinnable, Servable
from soapsvc.model.signature import Limits
from soapsvc.model.source import VersionFolder
from soapsvc.model.status import LabelStatus, State, VersionStatus

log = logging.getLogger(__name__)
_RETRY_AFTER_S = 5  # until a model that a pipeline needs may be there again


_Wanted = tuple[str, int | None, str | None, int | None]  # name, version, label, contract


class Handle:
    """Lends a servable for the length of a `with` block; see `ModelManager.handle`."""

    __slots__ = ("_manager", "_servable", "_wanted")

    def __init__(self, manager: ModelManager, wanted: _Wanted) -> None:
        self._manager, self._wanted = manager, wanted

    def __enter__(self) -> Servable:
        self._servable = self._manager._borrow(self._wanted)
        return self._servable

    def __exit__(self, *error: object) -> None:
        self._manager._give_back(self._servable)


class ModelManager:
    """Every loaded version of every model. Safe to use from many threads."""

    def __init__(self, load: Callable[[VersionFolder], Servable], labels: Mapping[str, Labels] | None = None) -> None:
        """labels: model name -> label -> version, as {"iris": {"stable": 1}}."""
        self._load = load
        self._lock = threading.RLock()  # guards all below
        self._returned = threading.Condition(self._lock)  # notified when a handle comes back
        self._servables: dict[str, dict[int, Servable]] = {}
        self._status: dict[tuple[str, int], VersionStatus] = {}
        self._handles: Counter[tuple[str, int]] = Counter()
        self._labels: defaultdict[str, PlacedLabels] = defaultdict(PlacedLabels)
        for name, wanted in (labels or {}).items():
            self._labels[name].want(wanted, ())

    def load_all(self, folders: Iterable[VersionFolder], admit: Callable[[Servable], None]) -> None:
        """Load versions one after the other; admit refuses one by raising LoadError."""
        for folder in folders:
            self.load(folder, admit)

    def load(self, folder: VersionFolder, admit: Callable[[Servable], None]) -> bool:
        """Load one version and serve it, or keep the reason why it can't be served; return whether it serves.

        A version takes over in one step, after it is loaded, proven and admitted. One that is already loaded, or
        still going, is left as it is.
        """
        if not self._reserve(folder):
            log.error("%s version %d is loaded already; publish a change as a new version", folder.name, folder.version)
            return False
        try:
            servable = self._load(folder)
            try:
                admit(servable)
            except BaseException:
                servable.graph.close()
                raise
        except LoadError as err:
            self.fail(folder, str(err))
        except Exception as err:
            log.exception("%s version %d can't be loaded", folder.name, folder.version)
            self.fail(folder, f"unexpected {err.__class__.__name__}; the log has more")
        else:
            self._publish(servable)
            return True
        return False

    def fail(self, folder: VersionFolder, reason: str) -> None:
        """Keep the reason why a version is not served, and say so in the log."""
        log.error("%s version %d is not served: %s", folder.name, folder.version, reason)
        self._set_state(folder.name, folder.version, State.END, reason, failed=True)

    def found(self, folder: VersionFolder, reason: str) -> None:
        """Show a version that is about to be loaded. reason: what it waits for."""
        self._set_state(folder.name, folder.version, State.START, reason)

    def unload(self, name: str, version: int, reason: str = "unloaded") -> None:
        """Stop serving a version: new handles are refused, then it is freed once the last one is back."""
        self._free(self._withdraw(name, version, reason), reason)

    def unload_soon(self, name: str, version: int, reason: str) -> None:
        """Do what `unload` does, but wait for the handles in a thread of its own."""
        servable = self._withdraw(name, version, reason)
        waiting = threading.Thread(target=self._free, args=(servable, reason), name=f"unload {name}", daemon=True)
        waiting.start()

    def forget(self, name: str, version: int) -> None:
        """Drop the status of a version that is not served and whose folder is gone."""
        with self._lock:
            status = self._status.get((name, version))
            if status is not None and status.state in (State.START, State.END):
                del self._status[name, version]

    def note(self, name: str, version: int, note: str) -> None:
        """Keep what an operator should know of a version, "" for nothing; a new note goes to the log."""
        with self._lock:
            status = self._status[name, version]
            self._status[name, version] = replace(status, note=note)
        if note and note != status.note:
            log.error("%s version %d: %s", name, version, note)

    def want_labels(self, name: str, labels: Labels) -> None:
        """Replace a model's labels in one step; see `PlacedLabels.want`. What can't move yet goes to the log once."""
        with self._lock:
            before = self._labels[name].status(name)
            self._labels[name].want(labels, self._servables.get(name, {}))
            after = self._labels[name].status(name)
            self._review()
        for status in after:
            if status not in before:
                place = "stands on" if status.version == status.wanted else "waits for"
                log.info("label %s of %s %s version %d", status.label, name, place, status.wanted)

    def handle(
        self, name: str, version: int | None = None, label: str | None = None, contract: int | None = None
    ) -> Handle:
        """Lend a loaded servable; it cannot be unloaded until the block ends.

        With neither version nor label it is the highest loaded version. contract: only versions that keep this
        major version of the contract count. Raises ModelNotFound, or InvalidInput when both are given.
        """
        return Handle(self, (name, version, label, contract))

    def _borrow(self, wanted: _Wanted) -> Servable:
        """Lend a servable; a pipeline in one step with the versions of its models, for as long as it is lent."""
        with self._lock:
            servable = self._find(*wanted)
            if servable.pipeline is not None:
                servable = self._pinned(servable, servable.pipeline)
            for each in (servable, *servable.pins):
                self._handles[each.name, each.version] += 1
            return servable

    def _give_back(self, servable: Servable) -> None:
        with self._lock:
            for each in (servable, *servable.pins):
                key = (each.name, each.version)
                self._handles[key] -= 1
                if not self._handles[key]:
                    self._returned.notify_all()

    def _pinned(self, servable: Servable, pipeline: Pinnable) -> Servable:
        """Return a pipeline for one call. Raises Unavailable."""
        try:
            return servable.pinned(models_of(pipeline, self._find))
        except LoadError as err:
            raise Unavailable(f"{servable.name} can't answer now: {err}", _RETRY_AFTER_S) from err

    def _review(self) -> None:
        """Mark each pipeline as available or not, as the models that it needs are. The lock is held."""
        for versions in self._servables.values():
            for servable in versions.values():
                if servable.pipeline is None:
                    continue
                self._mark(servable, why_not(servable.pipeline, self._find))

    def _mark(self, servable: Servable, reason: str) -> None:
        key, state = (servable.name, servable.version), State.UNAVAILABLE if reason else State.AVAILABLE
        if (self._status[key].state, self._status[key].reason) == (state, reason):
            return
        self._set_state(*key, state, reason)
        self._status[key] = replace(self._status[key], runner=servable.runner, memory=servable.memory)
        log.log(logging.ERROR if reason else logging.INFO, "%s version %d %s", *key, reason or "is available again")

    def names(self) -> list[str]:
        """Return the names of the models that have a loaded version."""
        with self._lock:
            return sorted(self._servables)

    def limits_of(self, name: str) -> Limits:
        """Return the limits of a model's highest loaded version, the usual ones when it has none."""
        with self._lock:
            versions = self._servables.get(name)
            return versions[max(versions)].limits if versions else Limits()

    def calls_wait(self, name: str) -> bool:
        """Return whether calls of any loaded version of a model wait; see `Servable.calls_wait`."""
        with self._lock:
            return any(servable.calls_wait for servable in self._servables.get(name, {}).values())

    def contracts(self, name: str) -> dict[int, int]:
        """Return the major version of the contract that each loaded version of a model keeps."""
        with self._lock:
            return {version: servable.contract.version for version, servable in self._servables.get(name, {}).items()}

    def typed_contracts(self, name: str | None = None) -> list[Contract]:
        """Return the contract of each loaded version of a model, of all models without a name."""
        with self._lock:
            models = self._servables.values() if name is None else [self._servables.get(name, {})]
            return [servable.contract for versions in models for servable in versions.values()]

    def labelled(self, name: str) -> set[int]:
        """Return the versions of a model that a label stands on, or is to stand on."""
        with self._lock:
            return self._labels[name].versions()

    def status(self) -> list[VersionStatus]:
        """Return the status of every version ever seen, by name, then by version."""
        with self._lock:
            return [self._status[key] for key in sorted(self._status)]

    def labels(self) -> list[LabelStatus]:
        """Return the place of every label, by model, then by label."""
        with self._lock:
            return [status for name in sorted(self._labels) for status in self._labels[name].status(name)]

    def _reserve(self, folder: VersionFolder) -> bool:
        """Take a version's place for loading it; False when it is loaded, or on its way in or out."""
        with self._lock:
            status = self._status.get((folder.name, folder.version))
            free = status is None or status.state in (State.START, State.END)
            if free:
                self._set_state(folder.name, folder.version, State.LOADING)
            return free

    def _publish(self, servable: Servable) -> None:
        with self._lock:
            versions = self._servables.setdefault(servable.name, {})
            versions[servable.version] = servable
            self._labels[servable.name].place(versions)
            self._set_state(servable.name, servable.version, State.AVAILABLE)
            key = (servable.name, servable.version)
            self._status[key] = replace(self._status[key], runner=servable.runner, memory=servable.memory)
            self._review()
        log.info("%s version %d is available", servable.name, servable.version)

    def _withdraw(self, name: str, version: int, reason: str) -> Servable:
        """Return a version that no new handle is lent of from now on."""
        with self._lock:
            servable = self._find(name, version, None)
            versions = self._servables[name]
            del versions[version]
            self._labels[name].place(versions)
            if not versions:
                del self._servables[name]
            self._set_state(name, version, State.UNLOADING, reason)
            self._review()
            return servable

    def _free(self, servable: Servable, reason: str) -> None:
        key = (servable.name, servable.version)
        with self._lock:
            self._returned.wait_for(lambda: not self._handles[key])
            del self._handles[key]
        servable.graph.close()  # outside the lock: calls go on meanwhile
        self._set_state(*key, State.END, reason)
        log.info("%s version %d is unloaded: %s", *key, reason)

    def _set_state(self, name: str, version: int, state: State, reason: str = "", failed: bool = False) -> None:
        with self._lock:  # reentrant: some callers hold it
            status = self._status.get((name, version)) or VersionStatus(name, version, State.START)
            self._status[name, version] = status.became(state, reason, failed)

    def _find(self, name: str, version: int | None, label: str | None, contract: int | None = None) -> Servable:
        versions = self._servables.get(name, {})
        if any(contract not in (None, servable.contract.version) for servable in versions.values()):
            versions = {n: servable for n, servable in versions.items() if servable.contract.version == contract}
        if not versions and name in self._servables:
            raise ModelNotFound("unknown-model", f"{name} has no version that keeps contract {contract}")
        if not versions:
            known = ", ".join(sorted(self._servables)) or "none"
            raise ModelNotFound("unknown-model", f"no model named {name!r} is available; available are {known}")
        if version is not None and label is not None:
            raise InvalidInput("ambiguous-version", "label", "a version or a label", "both")
        if label is not None:
            version = self._labels[name].find(label) if name in self._labels else None
            if version is None:
                raise ModelNotFound("unknown-label", f"{name} has no label {label!r}")
        if version is None:
            return versions[max(versions)]
        if version not in versions:
            known = ", ".join(map(str, sorted(versions)))
            raise ModelNotFound("unknown-version", f"{name} has no version {version}; available are {known}")
        return versions[version]
