"""Trials that several processes share: what passed once is not tried again, and never two at the same time."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from soapsvc.model.shared_trials import SharedTrials
from soapsvc.model.source import VersionFolder


class Tries:
    """A trial that every version passes but those named, and that two may not run at once."""

    def __init__(self, *bad: int) -> None:
        self.tried: list[int] = []
        self._bad, self._alone = bad, threading.Lock()

    def __call__(self, folders: Sequence[VersionFolder]) -> Mapping[VersionFolder, str]:
        assert self._alone.acquire(blocking=False), "two trials at once"
        self.tried += [folder.version for folder in folders]
        self._alone.release()
        return {folder: "bad" for folder in folders if folder.version in self._bad}


@pytest.fixture
def folders(tmp_path: Path) -> list[VersionFolder]:
    paths = [tmp_path / "iris" / str(version) for version in (1, 2)]
    for path in paths:
        path.mkdir(parents=True)
        (path / "model.pb").write_bytes(b"graph")
    return [VersionFolder("iris", int(path.name), path) for path in paths]


def test_what_passed_is_tried_once_and_what_failed_by_every_process(
    folders: list[VersionFolder], tmp_path: Path
) -> None:
    tries = Tries(2)
    assert [SharedTrials(tries, tmp_path)(folders) for _ in range(3)] == [{folders[1]: "bad"}] * 3
    assert tries.tried == [1, 2, 2, 2]


def test_version_whose_files_changed_is_tried_again(folders: list[VersionFolder], tmp_path: Path) -> None:
    tries = Tries()
    SharedTrials(tries, tmp_path)(folders)
    (folders[0].path / "model.pb").write_bytes(b"another graph")
    SharedTrials(tries, tmp_path)(folders)
    assert tries.tried == [1, 2, 1]


def test_processes_try_one_after_the_other(folders: list[VersionFolder], tmp_path: Path) -> None:
    tries = Tries(1, 2)
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(SharedTrials(tries, tmp_path), folders) for _ in range(8)]
        assert all(len(each.result()) == 2 for each in found)
    assert len(tries.tried) == 16
