"""Brings what is loaded in line with the models folder: new versions come, those no longer wanted go.

Decides which versions, when and why; `ModelManager` loads, lends and unloads them. One thread at a time may call it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from soapsvc.errors import LoadError
from soapsvc.model.contract import Contract
from soapsvc.model.description import describe
from soapsvc.model.labels_file import read_labels
from soapsvc.model.manager import ModelManager
from soapsvc.model.placed_labels import Labels
from soapsvc.model.policy import VersionPolicies
from soapsvc.model.servable import Servable
from soapsvc.model.source import Stamp, VersionFolder, list_versions
from soapsvc.model.status import State

log = logging.getLogger(__name__)
Trial = Callable[[Sequence[VersionFolder]], Mapping[VersionFolder, str]]
Key = tuple[str, int]  # model, version
_SETTLED_S = 1.0  # how long a folder's files must have been left alone before it is loaded
_COPYING = "its files still change"


class Gate(Protocol):
    """Which contracts a version has to keep."""

    def expect(self, model: str, contracts: Sequence[Contract]) -> None:
        """Tell a model's contracts, that of the lowest version first: the first of each major version counts."""

    def admit(self, servable: Servable) -> None:
        """Raise LoadError when a version breaks the contract that it has to keep."""


@dataclass(frozen=True)
class _Found:
    """A version's folder as the last look at it found it. contract: None when the manifest can't be read."""

    folder: VersionFolder
    stamp: Stamp
    since: float  # when it was first found with this stamp, by the monotonic clock
    contract: Contract | None
    needs: frozenset[str] = frozenset()  # names of the models that a pipeline runs

    @property
    def settled(self) -> bool:
        return time.monotonic() - self.since >= _SETTLED_S


class Lifecycle:
    """What is wanted of the models folder, and what was found in it."""

    def __init__(
        self, models: Path, manager: ModelManager, gate: Gate, policies: VersionPolicies,
        labels: Mapping[str, Labels], trial: Trial | None,
    ) -> None:  # fmt: skip
        """labels: those of the settings, which a model's labels.yaml overrules. trial: tries versions found later."""
        self._models, self._manager, self._gate, self._policies = models, manager, gate, policies
        self._labels, self._trial = labels, trial
        self._found: dict[str, dict[int, _Found]] = {}
        self._loaded: dict[Key, Stamp] = {}
        self._failed: set[Key] = set()
        self._problems: dict[str, str] = {}  # where -> what is wrong there
        self.scans = 0

    @property
    def problems(self) -> list[str]:
        """What is wrong with the models folder now, other than with a version."""
        return list(self._problems.values())

    def start(self, trial: Trial | None) -> None:
        """Load what is wanted of what stands there now, as it stands. Raises LoadError: no such folder."""
        list_versions(self._models)
        later, self._trial = self._trial, trial
        self._scan(retry=False, settle=False)
        self._trial = later

    def scan(self, retry: bool = False) -> bool:
        """Look at the folder and act; return whether another look is needed soon, as files were still changing.

        retry: try versions again that failed, though nothing changed.
        """
        return self._scan(retry, settle=True)

    def _scan(self, retry: bool, settle: bool) -> bool:
        self.scans += 1
        try:
            listing = list_versions(self._models)
        except LoadError as err:
            self._tell({"": f"{err}; what is loaded serves on"})
            return False
        problems = {**listing.unreadable, **{words: words for words in listing.ignored}}
        found: dict[str, dict[int, _Found]] = {status.name: {} for status in self._manager.status()}
        for folder in listing.folders:
            found.setdefault(folder.name, {})[folder.version] = self._look(folder, settle)
        names = sorted(found.keys() - listing.unreadable.keys())
        for name in names:
            self._update(name, found[name], retry)
            self._want_labels(name, problems)
        while todo := [each for name in names for each in self._missing(name)]:
            self._load(todo)  # of all models together: one trial for all
        for name in names:
            self._tidy(name)
        self._tell(problems)
        return any(not each.settled for versions in self._found.values() for each in versions.values()) and settle

    def _look(self, folder: VersionFolder, settle: bool) -> _Found:
        stamp, before = folder.stamp(), self._found.get(folder.name, {}).get(folder.version)
        if before is not None and before.stamp == stamp:
            return before
        return _Found(folder, stamp, time.monotonic() if settle else float("-inf"), *_described(folder))

    def _update(self, name: str, found: dict[int, _Found], retry: bool) -> None:
        before = self._found.get(name, {})
        anew = retry or found.keys() != before.keys()  # what failed may have failed for another version's sake
        self._failed -= {(name, version) for version in before if anew or found.get(version) is not before[version]}
        self._found[name] = found
        contracts = [found[version].contract for version in sorted(found)]
        self._gate.expect(name, [contract for contract in contracts if contract is not None])

    def _want_labels(self, name: str, problems: dict[str, str]) -> None:
        try:
            labels = read_labels(self._models, name)
        except LoadError as err:
            problems[f"labels of {name}"] = str(err)
            return
        if self._found[name]:  # a model whose folder is gone keeps its labels
            self._manager.want_labels(name, {**self._labels.get(name, {}), **labels})

    def _wanted(self, name: str) -> set[int]:
        """Return the versions to serve, of those that can be loaded now or are loaded."""
        found, loaded = self._found[name], self._manager.contracts(name)
        ready = {version: each for version, each in found.items() if each.settled or version in loaded}
        contracts = {
            version: loaded.get(version) or (each.contract.version if each.contract else None)
            for version, each in ready.items()
        }
        failed = {version for model, version in self._failed if model == name}
        labelled = self._manager.labelled(name) & ready.keys() - failed
        return self._policies.of(name).wanted(contracts, failed) | labelled

    def _missing(self, name: str) -> list[_Found]:
        """Return what is wanted and not loaded, lowest version first, and show it."""
        busy = {
            status.version
            for status in self._manager.status()
            if status.name == name and status.state not in (State.START, State.END)
        }
        for version, each in self._found[name].items():
            if not each.settled and version not in busy:
                self._manager.found(each.folder, _COPYING)
        return [self._found[name][version] for version in sorted(self._wanted(name) - busy)]

    def _load(self, todo: Sequence[_Found]) -> None:
        tried = [each.folder for each in todo if each.contract is not None]  # the others fail at their manifest
        for folder in tried:
            self._manager.found(folder, "waits for its trial" if self._trial else "waits to be loaded")
        reasons = self._trial(tried) if self._trial and tried else {}
        for each in sorted(todo, key=lambda each: bool(each.needs)):  # a pipeline after the models that it runs
            folder, key = each.folder, (each.folder.name, each.folder.version)
            if folder not in reasons and self._manager.load(folder, self._gate.admit):
                self._loaded[key] = each.stamp
                self._failed -= {failed for failed in self._failed if folder.name in self._needs_of(failed)}
            elif folder.stamp() != each.stamp:  # what failed was half a copy: look again
                self._found[folder.name][folder.version] = self._look(folder, settle=True)
            else:
                self._failed.add(key)
                if folder in reasons:
                    self._manager.fail(folder, reasons[folder])

    def _needs_of(self, key: Key) -> frozenset[str]:
        found = self._found.get(key[0], {}).get(key[1])
        return found.needs if found else frozenset()

    def _unload(self, name: str) -> dict[int, str]:
        """Let go what is not wanted; return what is kept all the same, as it alone keeps a contract or has a label."""
        loaded, wanted, labelled = self._manager.contracts(name), self._wanted(name), self._manager.labelled(name)
        kept = {}
        for version in sorted(loaded.keys() - wanted):
            policy = f"not wanted: version_policy is {self._policies.of(name)}"
            reason = policy if version in self._found[name] else "its folder is gone"
            if version in labelled:
                kept[version] = f"{reason}; it serves on, for a label names it"
            elif not any(loaded.get(other) == loaded[version] for other in wanted):
                kept[version] = f"{reason}; it serves on, for no other version keeps contract v{loaded[version]}"
            else:
                self._manager.unload_soon(name, version, reason)
                self._loaded.pop((name, version), None)
        return kept

    def _tidy(self, name: str) -> None:
        """Unload what is to go, note what is odd about the rest, and forget what is neither there nor served."""
        kept = self._unload(name)
        for version in self._manager.contracts(name):
            self._manager.note(name, version, kept.get(version) or self._change(name, version))
        for status in self._manager.status():
            if status.name == name and status.version not in self._found[name]:
                self._manager.forget(name, status.version)

    def _change(self, name: str, version: int) -> str:
        """Return in words which files of a loaded version are no longer those that were loaded, "" for none."""
        loaded = self._loaded.get((name, version), {})
        if version not in self._found[name]:
            return ""
        now = self._found[name][version].stamp
        changed = sorted(file for file in loaded if now.get(file) != loaded[file])
        words = f"{', '.join(changed)} changed after it was loaded, to no effect: publish it as a new version number"
        return words if changed else ""

    def _tell(self, problems: dict[str, str]) -> None:
        """Log what is newly wrong, and what is no longer."""
        for where in problems.keys() - self._problems.keys():
            log.warning("%s", problems[where])
        for where in self._problems.keys() - problems.keys():
            log.info("solved: %s", self._problems[where])
        self._problems = problems


def _described(folder: VersionFolder) -> tuple[Contract | None, frozenset[str]]:
    try:
        described = describe(folder)
    except LoadError:
        return None, frozenset()
    steps = (described.manifest.steps or {}).values()
    return described.contract, frozenset(step.model for step in steps if step.model is not None)
