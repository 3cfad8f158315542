"""Which `traceparent` and `tracestate` count: well-formed ones only (W3C Trace Context, level 2)."""

from __future__ import annotations

import pytest

from soapsvc.trace_context import TraceContext, parse_trace, well_formed
from soapsvc.tracing import Untraced

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("traceparent", "sampled"),
    [
        (GIVEN, True),
        (f" {GIVEN}\t", True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-02", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"00-{TRACE}-{SPAN}-ff", True),
        (f"01-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be", True),
    ],
)
def test_well_formed_trace_is_taken(traceparent: str, sampled: bool) -> None:
    assert parse_trace(traceparent, "a=1") == TraceContext(TRACE, SPAN, sampled, "a=1")


@pytest.mark.parametrize(
    "traceparent",
    [
        "", "00", TRACE, GIVEN.upper(), f"{GIVEN}-", f"{GIVEN}-more", f"{GIVEN}0", f"{GIVEN},{GIVEN}", f"{GIVEN}\n",
        f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN[1:]}-01", f"00-{TRACE}-{SPAN}-1", f"0-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}",
        f"0g-{TRACE}-{SPAN}-01", f"01-{TRACE}-{SPAN}-01.more", f"٠٠-{TRACE}-{SPAN}-01",
    ],
)  # fmt: skip
def test_malformed_trace_counts_for_nothing(traceparent: str) -> None:
    assert parse_trace(traceparent, "a=1") is None


@pytest.mark.parametrize(
    "tracestate",
    ["a=1", "a=1,b=2", "a=1 , b=2", "a=1,,b=2", "1a@b-c*d/e_f=!", f"{'k' * 256}={'v' * 256}", "a= inner blank"],
)
def test_well_formed_state_is_kept(tracestate: str) -> None:
    assert well_formed(tracestate) == tracestate


@pytest.mark.parametrize(
    "tracestate",
    ["a", "a=", "=1", "A=1", "a=1,a=2", "a=1;b=2,c", "a=é", "a=1=2", "a=1\n", "a b=1", f"{'k' * 257}=1",
     f"a={'v' * 257}", ",".join(f"k{number}=1" for number in range(33))],
)  # fmt: skip
def test_malformed_state_is_dropped(tracestate: str) -> None:
    assert well_formed(tracestate) == ""


def test_call_without_spans_belongs_to_its_callers_trace_only() -> None:
    assert Untraced().begin(GIVEN, "") == TraceContext(TRACE, SPAN, True)
    assert Untraced().begin("", "a=1") is None
