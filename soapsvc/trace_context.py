"""Which trace a call belongs to: the headers `traceparent` and `tracestate` of W3C Trace Context, level 2.

Knows nothing of spans: a call's trace stands in the log whether or not spans are made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_NO_VERSION = "ff"
_KEY = r"[a-z0-9][a-z0-9_\-*/@]{0,255}"
_VALUE = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_MEMBER = re.compile(rf"({_KEY})={_VALUE}")
_MOST_MEMBERS = 32
_SAMPLED = 1  # the flag that says that the caller keeps his spans


@dataclass(frozen=True)
class TraceContext:
    """A call's place in a trace. Ids are lowercase hexadecimal digits.

    parent_id: the caller's span; empty where the trace begins here.  sampled: whether its spans are kept.
    state: the tracestate that came along, as it came.
    """

    trace_id: str
    parent_id: str
    sampled: bool
    state: str = ""


def parse_trace(traceparent: str, tracestate: str) -> TraceContext | None:
    """Return the trace that a caller's headers name, None where `traceparent` is malformed: it counts for nothing then.

    A version that is newer than 00 may have more behind a dash, and is read as far as 00 goes (section 4.3).
    """
    match = _TRACEPARENT.fullmatch(traceparent.strip(" \t"))
    if match is None:
        return None
    version, trace_id, parent_id, flags, more = match.groups()
    if version == _NO_VERSION or (version == "00" and more) or trace_id == _NO_TRACE or parent_id == _NO_SPAN:
        return None
    return TraceContext(trace_id, parent_id, bool(int(flags, 16) & _SAMPLED), tracestate)


def well_formed(tracestate: str) -> str:
    """Return a tracestate as it came, nothing of one that is malformed (section 3.3)."""
    members = [stripped for each in tracestate.split(",") if (stripped := each.strip(" \t"))]
    matches = [_MEMBER.fullmatch(member) for member in members]
    keys = {match[1] for match in matches if match is not None}
    return tracestate if len(keys) == len(members) <= _MOST_MEMBERS else ""
