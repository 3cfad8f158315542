"""Files of the metrics of several workers, at every moment of their life."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from soapsvc.metrics.all_workers import FOLDER_VARIABLE, AllWorkers


def test_file_that_is_just_made_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    counted = MmapedDict(str(tmp_path / "counter_1.db"))
    counted.write_value(mmap_key("calls", "calls_total", [], [], "Calls."), 3.0, 0.0)
    counted.close()
    (tmp_path / "counter_2.db").touch()
    (metric,) = AllWorkers(CollectorRegistry()).collect()
    assert [(sample.name, sample.value) for sample in metric.samples] == [("calls_total", 3.0)]
