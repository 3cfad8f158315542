"""Work that calls leave behind, done a moment later and for many of them at once."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)
Item = TypeVar("Item")
_MOST_WAITING = 10_000  # items: beyond them, who adds one does the work that waits


class Later(Generic[Item]):
    """Collects items and hands them to `work`, on a thread of its own. Safe to use from many threads."""

    def __init__(self, name: str, delay_s: float, work: Callable[[deque[Item]], None]) -> None:
        """delay_s: how long an item may wait for others.  work: takes items from the left until there are none."""
        self._delay_s, self._work = delay_s, work
        self._items: deque[Item] = deque()
        self._some, self._never = threading.Event(), threading.Event()
        self._working = threading.RLock()  # a signal handler may log while its thread writes the log
        threading.Thread(target=self._by_and_by, name=name, daemon=True).start()

    def add(self, item: Item) -> None:
        """Leave an item behind."""
        self._items.append(item)
        if not self._some.is_set():
            self._some.set()
        if len(self._items) > _MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        """Do what waits, now."""
        with self._working:
            self._work(self._items)

    def _by_and_by(self) -> None:
        while True:
            self._some.wait()
            self._never.wait(self._delay_s)
            self._some.clear()
            try:
                self.flush()
            except Exception:  # a defect in one item's work must not end that of all later ones
                log.exception("%s: work that was left behind failed", threading.current_thread().name)
