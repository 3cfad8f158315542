"""What the operator does beside the calls: pushes and removes versions, moves a label, and kills workers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from soapsvc.model.labels_file import write_label
from tests.soak.adder import publish

WAIT_S = 180.0


class NotFollowed(Exception):
    """A change took too long to show in every worker."""


class Changes:
    """Changes of one running server. stable: the number of a label's move that has settled, and its version."""

    def __init__(self, url: str, models: Path) -> None:
        self._url, self._models = url, models
        self.stable: tuple[int, int] | None = (0, 1)
        self.newest = 1
        self.swaps = self.moves = 0
        self.kills: list[float] = []

    def workers(self) -> dict[int, int]:
        """Return the process id of each worker that serves, by its number; empty while the server can't be asked."""
        return {each["worker"]: each["pid"] for each in self._page().get("workers", []) if each["pid"] is not None}

    def swap(self, moves: int) -> None:
        """Push a version, move the label to and fro and at last to it, and remove the version before."""
        before, new = self.newest, self.newest + 1
        publish(self._models, new)
        self._wait(lambda page: _state(page, new) == "AVAILABLE")
        self.newest = new
        for index in range(moves):
            self.move(new if (moves - index) % 2 else before)
        shutil.rmtree(self._models / "adder" / str(before))
        self._wait(lambda page: _state(page, before) in ("", "END"))
        self.swaps += 1

    def move(self, version: int) -> None:
        """Move the label `stable`."""
        self.stable = None
        write_label(self._models, "adder", "stable", version)
        self._wait(lambda page: [each["version"] for each in page["labels"]] == [version])
        self.moves += 1
        self.stable = (self.moves, version)

    def kill(self) -> None:
        """Kill the workers in turn, and wait until another process serves in the one's place."""
        number = 1 + len(self.kills) % 2
        pid = self.workers()[number]
        self.kills.append(time.monotonic())
        os.kill(pid, signal.SIGKILL)
        self._wait(lambda page: any(each["worker"] == number and each["pid"] != pid for each in page["workers"]))

    def _wait(self, holds: Callable[[Any], bool]) -> None:
        """Wait until something holds in every worker."""
        end = time.monotonic() + WAIT_S
        while True:
            page = self._page()
            workers = page.get("workers", [])
            alike = workers and all(each["pid"] is not None and not each["differs"] for each in workers)
            if alike and holds(page):
                return
            if time.monotonic() > end:
                raise NotFollowed(f"the workers did not follow a change within {WAIT_S:g} s: {page}")
            time.sleep(0.1)

    def _page(self) -> Any:
        try:
            with urllib.request.urlopen(f"{self._url}/health/models", timeout=60) as response:
                return json.load(response)
        except OSError:  # the worker that answered was killed
            return {}


def _state(page: Any, version: int) -> str:
    return next(
        (each["state"] for each in page["versions"] if (each["model"], each["version"]) == ("adder", version)), ""
    )
