"""The page at /health/models: every version's state and reason, every label's place, in JSON."""

from __future__ import annotations

from typing import Any

from soapsvc.model.lifecycle import Lifecycle
from soapsvc.model.manager import ModelManager
from soapsvc.model.status import LabelStatus, VersionStatus
from soapsvc.transport.colleagues import Colleagues, worker_entry
from soapsvc.transport.watcher import Watcher


class ModelsPage:
    """Tells what `docs/operations.md` describes, as it is when asked."""

    def __init__(
        self, manager: ModelManager, lifecycle: Lifecycle, watcher: Watcher, colleagues: Colleagues | None = None
    ) -> None:
        """colleagues: the other workers, where there are several."""
        self._manager, self._lifecycle, self._watcher, self._colleagues = manager, lifecycle, watcher, colleagues

    def __call__(self) -> dict[str, Any]:
        """Return the page's content."""
        own = self._own()
        if self._colleagues is None:
            return own | {"worker": 1, "workers": [worker_entry(1, own)]}
        return own | {"worker": self._colleagues.number, "workers": self._colleagues.compare(own)}

    def tell(self) -> None:
        """Let the other workers know, where there are several."""
        if self._colleagues is not None:
            self._colleagues.tell(self._own())

    def _own(self) -> dict[str, Any]:
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
        "runner": status.runner,
        "failed": status.failed,
        "transitions": [{"state": state.value, "at": at.isoformat()} for state, at in status.transitions],
    }


def _label(status: LabelStatus) -> dict[str, Any]:
    return {"model": status.name, "label": status.label, "version": status.version, "wanted": status.wanted}
