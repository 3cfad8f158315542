"""The models folder is looked through by names alone; what is no version is left alone."""

import logging
from pathlib import Path
from typing import Any

import pytest

from soapsvc.model.source import VersionFolder, find_versions
from tests.model.folders import reason


def version(models: Path, name: str) -> Path:
    """Make models/<name> with a manifest."""
    folder = models / name
    folder.mkdir(parents=True)
    (folder / "model.yaml").touch()
    return folder


def test_versions_are_found_by_name_then_by_number(models: Path) -> None:
    for name in ("b/10", "b/9", "a-1/2", "c/999999999999999999"):
        version(models, name)
    assert [(found.name, found.version) for found in find_versions(models)] == [
        ("a-1", 2), ("b", 9), ("b", 10), ("c", 999999999999999999),
    ]  # fmt: skip


def test_version_knows_where_it_is_and_how_to_be_shown(models: Path) -> None:
    path = version(models, "a/1")
    [found] = find_versions(models)
    assert found == VersionFolder("a", 1, path)
    assert found.show("model.pb") == "a/1/model.pb"


@pytest.mark.parametrize("name", ["A", "my_model", "1a", ".hidden", "a b", "-a", "ä", "a" * 64, "a.old"])
def test_folder_whose_name_is_no_models_is_left_alone(models: Path, name: str) -> None:
    version(models, f"{name}/1")
    assert find_versions(models) == []


@pytest.mark.parametrize("name", ["0", "01", "-1", "1.0", "1e3", "+1", "v1", "1 ", "latest", "١", "1" * 19, ".1"])
def test_folder_whose_name_is_no_version_is_left_alone(models: Path, name: str) -> None:
    version(models, f"a/{name}")
    assert find_versions(models) == []


def test_folder_without_a_manifest_is_left_alone(models: Path) -> None:
    (models / "a" / "1").mkdir(parents=True)
    (models / "a" / "2" / "model.yaml").mkdir(parents=True)
    version(models, "a/3")
    assert [found.version for found in find_versions(models)] == [3]


def test_file_in_place_of_a_folder_is_left_alone(models: Path) -> None:
    (models / "a").touch()
    (models / "b").mkdir()
    (models / "b" / "1").touch()
    (models / "c").symlink_to(models / "nowhere")
    (models / "d").symlink_to(models / "d")
    assert find_versions(models) == []


def test_link_to_a_version_is_followed(models: Path, tmp_path: Path) -> None:
    version(tmp_path, "elsewhere")
    (models / "a").mkdir()
    (models / "a" / "1").symlink_to(tmp_path / "elsewhere")
    assert [found.version for found in find_versions(models)] == [1]


def test_empty_folder_has_no_versions(models: Path) -> None:
    assert find_versions(models) == []


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_models_folder_that_cannot_be_listed_is_refused(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "models"
    if kind == "file":
        folder.touch()
    message = reason(lambda: find_versions(folder))
    assert message.startswith(f"the models folder {folder} can't be listed (")
    assert message.endswith("); expected a folder that holds <name>/<version>/model.yaml")


def test_model_folder_that_cannot_be_listed_stops_no_other(
    models: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    version(models, "a/1")
    version(models, "b/1")
    listed = Path.iterdir

    def iterdir(path: Path) -> Any:  # as the system answers another user than root
        if path.name == "a":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert [found.name for found in find_versions(models)] == ["b"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "a can't be listed (Permission denied); no new version in it is served" in caplog.text
