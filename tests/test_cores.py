"""A container's share of the processors is what counts, wherever in its groups it is set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from soapsvc import cores
from soapsvc.cores import usable_cores


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of control groups on a machine with 16 processors; this process is in /a/b."""
    (tmp_path / "groups" / "a" / "b").mkdir(parents=True)
    (tmp_path / "own").write_text("1:name=systemd:/x\n0::/a/b\n")
    monkeypatch.setattr(cores, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(cores, "_OWN_GROUP", tmp_path / "own")
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(12)))
    return tmp_path / "groups"


def test_processors_that_it_is_bound_to_without_a_share(groups: Path) -> None:
    assert usable_cores() == 12
    (groups / "a" / "cpu.max").write_text("max 100000\n")
    assert usable_cores() == 12


@pytest.mark.parametrize(("quota", "expected"), [("200000", 2), ("150000", 2), ("10000", 1), ("1300000", 12)])
@pytest.mark.parametrize("group", ["a/b", "a", "."])
def test_share_of_its_group_or_of_one_around_it(groups: Path, group: str, quota: str, expected: int) -> None:
    (groups / "a" / "b" / "cpu.max").write_text("max 100000\n")
    (groups / group / "cpu.max").write_text(f"{quota} 100000\n")
    assert usable_cores() == expected


def test_system_without_control_groups(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "_OWN_GROUP", groups / "none")
    assert usable_cores() == 12
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_cores() == 16


def test_this_machine() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
