"""One call on its way through the SOAP layer: what is known of it so far, for its answer and for the log."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from soapsvc.answered import Timed
from soapsvc.soap.addressing import Addressed
from soapsvc.soap.mtom import Enclosure
from soapsvc.trace_context import TraceContext

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Pin:
    """The version or label that an address asks for; neither means the highest loaded version."""

    version: int | None = None
    label: str | None = None


@dataclass
class Call:
    """Filled in by each stage that learns something; belongs to one thread.

    peer: the address it came from.  credentials: its Authorization header, empty without.
    began: when the request began to arrive, on time.monotonic.  deadline_s: how long its caller waits.
    takes_attachments: whether the caller reads an answer whose bytes are attached.
    addressed: the request's WS-Addressing.
    header: XML of the answer's header blocks.  enclosure: what goes beside the answer's envelope.
    outcome: `ok`, or the name of the fault.
    trace: the trace that it belongs to, None without.
    steps: of each step of a pipeline when it began, on time.monotonic, and the seconds that it took.
    error: what the operation raised, carried past Spyne.
    stages: the same of `queue`, `parse`, `run` and `serialise`, as far as the call came.
    started: when a thread took it, on time.monotonic.
    """

    request_id: str
    pin: Pin = field(default_factory=Pin)
    peer: str = "-"
    credentials: str = field(default="", repr=False)
    model: str = "-"
    version: int | None = None
    operation: str = "-"
    began: float = field(default_factory=time.monotonic)
    deadline_s: float | None = None
    takes_attachments: bool = False
    addressed: Addressed | None = None
    header: str = ""
    enclosure: Enclosure | None = None
    outcome: str = "ok"
    trace: TraceContext | None = None
    steps: Mapping[str, Timed] = field(default_factory=dict)
    error: Exception | None = None
    stages: dict[str, Timed] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)


def request_id(given: str | None) -> str:
    """Return the caller's own id when it is harmless, else a new one: unlike any other, but not beyond guessing."""
    return given if given and _REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"
