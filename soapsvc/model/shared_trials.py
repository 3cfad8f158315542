"""Trials of several processes that serve the same models folder: one at a time, and what passed is not tried again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from soapsvc.model.lifecycle import Trial
from soapsvc.model.source import VersionFolder


class SharedTrials:
    """A trial whose passes are kept in a folder that the processes share."""

    def __init__(self, trial: Trial, folder: Path) -> None:
        self._trial, self._folder = trial, folder

    def __call__(self, folders: Sequence[VersionFolder]) -> Mapping[VersionFolder, str]:
        """Return the reason of each version that can't be loaded. Waits while another process tries.

        What failed is tried again by every process: it may have been short of memory.
        """
        import fcntl  # Windows has none, and no several processes to share with

        passes = self._folder / "trials.json"
        with (self._folder / "trials.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            passed = set(json.loads(passes.read_text())) if passes.exists() else set()
            stamped = {folder: _identity(folder) for folder in folders}
            todo = [folder for folder in folders if stamped[folder] not in passed]
            reasons = self._trial(todo) if todo else {}
            passed |= {stamped[folder] for folder in todo if folder not in reasons}
            fresh = self._folder / ".trials.json"
            fresh.write_text(json.dumps(sorted(passed)))
            fresh.rename(passes)
        return reasons


def _identity(folder: VersionFolder) -> str:
    return json.dumps([folder.name, folder.version, sorted(folder.stamp().items())])
