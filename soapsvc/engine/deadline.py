"""How long a caller waits for an answer."""

from __future__ import annotations

import time
from dataclasses import dataclass

from soapsvc.errors import DeadlineExceeded


@dataclass(frozen=True)
class Deadline:
    """The moment after which nobody waits any more. seconds: how long the call was given; at: on time.monotonic."""

    seconds: float
    at: float

    @property
    def remaining_s(self) -> float:
        """Seconds that are left, none of them negative."""
        return max(0.0, self.at - time.monotonic())

    def check(self) -> None:
        """Raise DeadlineExceeded once the moment has passed."""
        if time.monotonic() >= self.at:
            raise DeadlineExceeded(self.seconds)


def earliest(since: float, *seconds: float | None) -> Deadline | None:
    """Return the deadline of a call that began at `since`, given the limits that hold for it; None without any."""
    given = [each for each in seconds if each is not None]
    return Deadline(min(given), since + min(given)) if given else None
