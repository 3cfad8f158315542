"""Waiting for many sockets: waitress's map of them, with a selector that lasts.

waitress asks every connection what it wants at every turn, and is woken at the end of each call to ask again. Here a
connection is asked when something happened to it, so that a turn costs what happens in it, not what is open.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Any

from waitress import wasyncore


class EventLoop(dict[int, Any]):
    """File descriptor -> waitress's object for it. All but `lacks` and `touch` is for the loop's own thread."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = DefaultSelector()
        self._awaited: dict[int, int] = {}  # what the selector waits for
        self._touched: deque[int] = deque()

    def __setitem__(self, fd: int, channel: Any) -> None:
        super().__setitem__(fd, channel)
        self.touch(fd)  # the object may be half made yet

    def __delitem__(self, fd: int) -> None:
        super().__delitem__(fd)
        self._await(fd, 0)

    def touch(self, fd: int) -> None:
        """Ask a channel at the next turn what it wants. The loop has to be woken for it, if it is not turning."""
        self._touched.append(fd)

    def lacks(self, fd: int) -> bool:
        """Whether a channel wants something that nobody waits for."""
        channel = self.get(fd)
        return channel is not None and bool(_wanted(channel) & ~self._awaited.get(fd, 0))

    def turn(self, timeout_s: float, then: Callable[[], bool]) -> bool:
        """Wait until something happens, but no longer than timeout_s, and let the channels deal with it.

        then: called after each event; where it returns False, so does this method at once, and what else happened is
        told again at the next turn.
        """
        while self._touched:
            self._ask(self._touched.popleft(), 0)
        for key, events in self._selector.select(timeout_s):
            channel = self.get(key.fd)
            if channel is None:
                continue
            if events & EVENT_READ and channel.readable():
                wasyncore.read(channel)
                events &= ~EVENT_READ
            if events & EVENT_WRITE and channel.writable():
                wasyncore.write(channel)
                events &= ~EVENT_WRITE
            self._ask(key.fd, events)
            if not then():
                return False
        return True

    def _ask(self, fd: int, unwanted: int) -> None:
        """Await what a channel wants, and no longer what came unwanted: it may want it again soon, so only then.

        A call's thread may end its use of the channel meanwhile: after the change the channel is asked once more.
        """
        channel = self.get(fd)
        if channel is None:
            return
        awaited = self._awaited.get(fd, 0)
        self._await(fd, awaited & EVENT_READ & ~unwanted | _wanted(channel))
        if self.lacks(fd):
            self._await(fd, self._awaited.get(fd, 0) | _wanted(channel))

    def _await(self, fd: int, events: int) -> None:
        before = self._awaited.get(fd, 0)
        if events == before:
            return
        self._awaited[fd] = events
        if not events:
            del self._awaited[fd]
            self._selector.unregister(fd)
        elif before:
            self._selector.modify(fd, events)
        else:
            self._selector.register(fd, events)


def _wanted(channel: Any) -> int:
    reads, writes = channel.readable(), channel.writable() and not channel.accepting
    return (EVENT_READ if reads else 0) | (EVENT_WRITE if writes else 0)
