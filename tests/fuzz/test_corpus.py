"""Every case that fuzzing found worth keeping keeps its target's promise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz.seeds import seeds
from tests.fuzz.targets import CORPUS, TARGETS, read_case

MOST_FILES, MOST_BYTES = 300, 1_000_000


@pytest.fixture(params=list(TARGETS))
def target(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def broken(function: Callable[[bytes], None], data: bytes) -> str:
    """Return how a case breaks a promise, empty when it keeps it."""
    try:
        function(data)
    except Exception as err:
        return f"{type(err).__name__}: {err}"
    return ""


def test_corpus_keeps_the_promise(target: str) -> None:
    cases = {path.name: path.read_bytes() for path in (CORPUS / target).iterdir()}
    assert len(cases) > 10
    found = {name: broken(TARGETS[target], data) for name, data in cases.items()}
    assert {name: text for name, text in found.items() if text} == {}


def test_seeds_keep_the_promise_and_read_back(target: str) -> None:
    for case in seeds():
        assert read_case(case.written()) == case
        TARGETS[target](case.written())


def test_corpus_stays_small() -> None:
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
    assert len(sizes) <= MOST_FILES
    assert sum(sizes) <= MOST_BYTES
    assert {path.name for path in CORPUS.iterdir() if path.is_dir()} == set(TARGETS)


def test_defect_inside_breaks_the_promise(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that can't fail would show nothing."""
    place = {"guard": "read_message", "mtom": "unpack", "codec": "unpack"}[target]

    def defect(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(f"tests.fuzz.targets.{place}", defect)
    case = next(iter(seeds()))
    assert broken(TARGETS[target], case.written()) == "ZeroDivisionError: "


def test_fault_of_an_unforeseen_error_breaks_the_promise(tmp_path: Path) -> None:
    from soapsvc.soap.call import Call
    from soapsvc.soap.ns import SoapVersion
    from tests.fuzz.targets import service
    from tests.soap.messages import check_answer

    for soap in SoapVersion:
        with pytest.raises(AssertionError):
            check_answer(service().endpoint("kinds", soap).fault(KeyError("inside"), Call("test")))
