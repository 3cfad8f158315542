"""Labels are written whole or not at all, and only for versions that stand there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from soapsvc.model.labels_file import read_labels, write_label
from tests.model.folders import reason


@pytest.fixture
def iris(models: Path) -> Path:
    """A model with versions 1 and 2."""
    for version in ("1", "2"):
        (models / "iris" / version).mkdir(parents=True)
        (models / "iris" / version / "model.yaml").touch()
    return models


def test_label_written_is_read_beside_the_others(iris: Path) -> None:
    assert write_label(iris, "iris", "stable", 1) is None
    assert write_label(iris, "iris", "canary", 2) is None
    assert write_label(iris, "iris", "stable", 2) == 1
    assert read_labels(iris, "iris") == {"stable": 2, "canary": 2}


def test_model_without_a_file_has_no_labels(iris: Path) -> None:
    assert read_labels(iris, "iris") == {}


@pytest.mark.parametrize(
    ("label", "version", "words"),
    [
        ("stable", 3, "has no version 3; nothing was changed"),
        ("Stable", 1, "expected a label of the form"),
        ("../x", 1, "expected a label of the form"),
        ("stable", 0, "a version of 1 or more"),
    ],
)
def test_label_that_can_not_be_is_refused(iris: Path, label: str, version: int, words: str) -> None:
    assert words in reason(lambda: write_label(iris, "iris", label, version))
    assert not (iris / "iris/labels.yaml").exists()


def test_full_disk_leaves_the_old_file(iris: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_label(iris, "iris", "stable", 1)

    def full(_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    words = reason(lambda: write_label(iris, "iris", "stable", 2))
    assert "labels.yaml: can't be written: No space left on device; nothing was changed" in words
    assert read_labels(iris, "iris") == {"stable": 1}
    assert {path.name for path in (iris / "iris").iterdir()} == {"1", "2", "labels.yaml"}


def test_broken_file_is_not_written_over(iris: Path) -> None:
    (iris / "iris/labels.yaml").write_text("stable: [")
    assert "labels.yaml: not YAML: while parsing" in reason(lambda: write_label(iris, "iris", "stable", 2))
    assert (iris / "iris/labels.yaml").read_text() == "stable: ["
