"""What the workers of one server tell each other: a folder that holds each one's page of /health/models."""

from __future__ import annotations

import json
import logging
import os
import signal
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)
Page = dict[str, Any]


class Colleagues:
    """One worker's view of all: it writes its own page, and reads those of the others."""

    def __init__(self, folder: Path, number: int, workers: int, supervisor: int) -> None:
        """folder: shared by the workers.  number: this worker's, from 1 to workers.  supervisor: its process id."""
        self.folder, self.number, self._workers, self._supervisor = folder, number, workers, supervisor

    def reload_all(self) -> None:
        """Have the supervisor tell every worker to look at the models folder."""
        if os.getppid() == self._supervisor:  # else it is gone, and its number may be another process's
            os.kill(self._supervisor, signal.SIGHUP)

    def tell(self, page: Page) -> None:
        """Put this worker's page where the others find it."""
        fresh = self.folder / f".{self.number}"
        try:
            fresh.write_text(json.dumps(page | {"pid": os.getpid()}))
            fresh.rename(page_file(self.folder, self.number))
        except OSError as err:
            log.error("the other workers can't be told what this one serves: %s", err)

    def compare(self, page: Page) -> list[Page]:
        """Return of each worker its number, process id, reloads, and what it serves other than this page says.

        pid is None, and no reloads are told, of one that is being started.
        """
        return [
            worker_entry(self.number, page)
            if number == self.number
            else _entry_of_other(number, self._read(number), page)
            for number in range(1, self._workers + 1)
        ]

    def _read(self, number: int) -> Page | None:
        try:
            page: Page = json.loads(page_file(self.folder, number).read_text())
        except FileNotFoundError:
            return None
        return page


def page_file(folder: Path, number: int) -> Path:
    """Return the file that holds a worker's page while it serves."""
    return folder / f"{number}.json"


def worker_entry(number: int, page: Page) -> Page:
    """Return what is told of the worker that answers."""
    return {"worker": number, "pid": os.getpid(), "reloads": page["reloads"], "differs": []}


def _entry_of_other(number: int, other: Page | None, page: Page) -> Page:
    if other is None:
        return {"worker": number, "pid": None, "reloads": None, "differs": []}
    return {"worker": number, "pid": other["pid"], "reloads": other["reloads"], "differs": _differences(page, other)}


def _differences(page: Page, other: Page) -> list[str]:
    here, there = _served(page), _served(other)
    reasons = {(each["model"], each["version"]): each["reason"] for each in other["versions"]}
    lost = [f"{model} version {version}: not served: {reasons.get((model, version)) or 'not found'}"
            for model, version in sorted(here - there)]  # fmt: skip
    more = [f"{model} version {version}: still served" for model, version in sorted(there - here)]
    placed, placed_there = _labels(page), _labels(other)
    moved = [f"{model} label {label}: {_place(placed_there.get((model, label)))}"
             for model, label in sorted(placed.keys() | placed_there.keys())
             if placed.get((model, label)) != placed_there.get((model, label))]  # fmt: skip
    return lost + more + moved


def _served(page: Page) -> set[tuple[str, int]]:
    return {(each["model"], each["version"]) for each in page["versions"] if each["state"] == "AVAILABLE"}


def _labels(page: Page) -> dict[tuple[str, str], int | None]:
    return {(each["model"], each["label"]): each["version"] for each in page["labels"]}


def _place(version: int | None) -> str:
    return "nowhere" if version is None else f"version {version}"
