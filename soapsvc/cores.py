"""How many processors this process may use, which in a container is fewer than the machine has."""

from __future__ import annotations

import math
import os
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")  # of version 2, mounted here by systemd and by every container engine
_OWN_GROUP = Path("/proc/self/cgroup")  # cgroups(7)


def usable_cores() -> int:
    """Return the processors that this process is bound to, but no more than its control group's share, rounded up."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return math.ceil(min(bound, _share()))


def _share() -> float:
    """Return the least that cpu.max allows in this process's group and those around it, above 0."""
    try:
        own = next(line for line in _OWN_GROUP.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):  # another system, or version 1 alone
        return math.inf
    group = _GROUPS / own.removeprefix("0::").lstrip("/")
    return min(_quota(each / "cpu.max") for each in (group, *group.parents) if each.is_relative_to(_GROUPS))


def _quota(file: Path) -> float:
    """Return the processors that a cpu.max allows: `max 100000`, or microseconds in each period of so many."""
    try:
        allowed, period = file.read_text().split()
    except (OSError, ValueError):  # the group at the top has none
        return math.inf
    return math.inf if allowed == "max" else int(allowed) / int(period)
