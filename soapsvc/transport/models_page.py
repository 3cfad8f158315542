"""The page at /health/models: every version's state and reason, every label's place, in JSON."""

from __future__ import annotations

from typing import Any

from soapsvc.model.lifecycle import Lifecycle
from soapsvc.model.manager import ModelManager
from soapsvc.model.status import LabelStatus, VersionStatus
from soapsvc.transport.watcher import Watcher


class ModelsPage:
    """Tells what `docs/operations.md` describes, as it is when asked."""

    def __init__(self, manager: ModelManager, lifecycle: Lifecycle, watcher: Watcher) -> None:
        self._manager, self._lifecycle, self._watcher = manager, lifecycle, watcher

    def __call__(self) -> dict[str, Any]:
        """Return the page's content."""
        return {
            "versions": [_version(status) for status in self._manager.status()],
            "labels": [_label(status) for status in self._manager.labels()],
            "problems": self._lifecycle.problems,
            "scans": self._lifecycle.scans,
            "reloads": {"asked": self._watcher.asked, "answered": self._watcher.answered},
        }


def _version(status: VersionStatus) -> dict[str, Any]:
    return {
        "model": status.name,
        "version": status.version,
        "state": status.state.value,
        "reason": status.reason,
        "note": status.note,
        "failed": status.failed,
        "transitions": [{"state": state.value, "at": at.isoformat()} for state, at in status.transitions],
    }


def _label(status: LabelStatus) -> dict[str, Any]:
    return {"model": status.name, "label": status.label, "version": status.version, "wanted": status.wanted}
