"""The thread that looks at the models folder, by and by and whenever it is asked to."""

from __future__ import annotations

import logging
import queue
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from soapsvc.model.lifecycle import Lifecycle

log = logging.getLogger(__name__)
_SOON_S = 1.0  # when to look again while files are being copied


class Watcher:
    """Keeps what is loaded in line with the models folder, in a thread of its own.

    asked, answered: how many reloads were asked for, and how many are through.
    """

    def __init__(self, interval_s: float) -> None:
        """interval_s: between two looks; 0 looks only when asked."""
        self._interval_s = interval_s
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()  # its put may be called in a signal handler
        self.asked = self.answered = 0

    def reload_on_hangup(self) -> None:
        """Reload at SIGHUP, where there is such a signal; before `start` one is kept for then."""
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, self._hangup)

    def start(self, lifecycle: Lifecycle, tell: Callable[[], None]) -> None:
        """Begin to watch, until the process ends. tell: called before and after every look."""
        threading.Thread(target=self._watch, args=(lifecycle, tell), name="watcher", daemon=True).start()

    def ask(self) -> None:
        """Have the folder looked at now. Safe to call from a signal handler."""
        self.asked += 1
        self._wake.put(None)

    def _hangup(self, _signal: int, _frame: FrameType | None) -> None:
        self.ask()

    def _watch(self, lifecycle: Lifecycle, tell: Callable[[], None]) -> None:
        soon = False
        while True:
            wait_s = min(self._interval_s or _SOON_S, _SOON_S) if soon else self._interval_s
            with suppress(queue.Empty):
                self._wake.get(timeout=wait_s or None)
            tell()
            soon = self._look(lifecycle)
            tell()

    def _look(self, lifecycle: Lifecycle) -> bool:
        """Look once; return whether to look again soon."""
        asked = self.asked
        try:
            soon = lifecycle.scan(retry=asked > self.answered)
        except Exception:  # logged whole: the thread must outlive any one look, or no version comes in again
            log.exception("the models folder could not be looked through; what is loaded serves on")
            soon = False
        if not soon:
            self.answered = asked
        return soon
