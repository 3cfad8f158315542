from __future__ import annotations

import pytest

from bench.profile import OTHER, SERVER, STAGES, shares, stage_of
from interop.tools import CannotRun
from tests.conftest import ROOT

SERVE = "run (soapsvc/transport/run.py:9);service (waitress/channel.py:5)"


@pytest.mark.parametrize(
    ("stack", "stage"),
    [
        (SERVE, SERVER),
        (f"{SERVE};read (soapsvc/soap/reader.py:1);loads (json/decoder.py:1)", "message to values"),
        (f"{SERVE};_run (soapsvc/soap/application.py:1)", "SOAP: checks, service"),
        (f"{SERVE};formatTime (soapsvc/transport/log_format.py:25)", "call log"),
        (f"{SERVE};_borrow (soapsvc/model/manager.py:147);wait (threading.py:3)", "engine and handle to the model"),
        ("wait (threading.py:3)", OTHER),
        ("", SERVER),
    ],
)
def test_a_stack_belongs_to_the_stage_of_its_innermost_frame_that_has_one(stack: str, stage: str) -> None:
    assert stage_of(stack.split(";")) == stage


def test_every_file_that_stands_for_a_stage_is_there() -> None:
    own = [start for starts in STAGES.values() for start in starts if start.startswith("soapsvc/")]
    assert [start for start in own if not list(ROOT.glob(f"{start}*"))] == []


def test_shares_are_of_all_samples() -> None:
    found = shares(f"{SERVE} 150\n{SERVE};emit (logging/__init__.py:1) 50\n")
    assert found == {SERVER: 0.75, "call log": 0.25}


def test_too_few_samples_tell_nothing() -> None:
    with pytest.raises(CannotRun, match="took 9 samples"):
        shares(f"{SERVE} 9")
