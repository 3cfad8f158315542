"""`soapsvc init`: what each file of the folder is worth, and what it refuses."""

from __future__ import annotations

import filecmp
import re
from pathlib import Path

import pytest
import yaml

from soapsvc import __version__
from soapsvc.cli import main
from soapsvc.settings import Settings, read_settings
from soapsvc.starter import folder as starter
from tests.conftest import ROOT


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder that init made."""
    made = tmp_path / "new/service"
    assert main(["init", str(made)]) == 0
    capsys.readouterr()
    return made


def test_bundled_model_is_the_one_of_the_checkout(folder: Path) -> None:
    for path in (folder / "models/iris/1", ROOT / "soapsvc/starter/models/iris/1"):
        compared = filecmp.dircmp(path, ROOT / "models/iris/1")
        assert (compared.left_only, compared.right_only, compared.diff_files) == ([], [], [])


def test_contract_is_the_published_one(folder: Path) -> None:
    assert (folder / "contracts/iris.wsdl").read_bytes() == (ROOT / "wsdl/iris.wsdl").read_bytes()


def test_settings_load_and_name_what_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    settings = read_settings(["--settings", "soapsvc.toml"])
    assert settings == Settings.model_construct(**settings.model_dump())
    assert (settings.models / "iris/1/model.yaml").is_file()
    assert settings.contracts is not None
    assert (settings.contracts / "iris.wsdl").is_file()


def test_lines_that_show_a_setting_can_be_taken_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    text = re.sub(r"^# (?=\w+ = |\[)", "", (folder / "soapsvc.toml").read_text(), flags=re.MULTILINE)
    (folder / "soapsvc.toml").write_text(text)
    settings = read_settings(["--settings", "soapsvc.toml"])
    examples = {"models", "contracts", "public_url", "trusted_proxies", "version_policy"}
    defaults = Settings()
    differing = {name for name in Settings.model_fields if getattr(settings, name) != getattr(defaults, name)}
    assert differing == examples - {"models"}


def test_compose_file_runs_the_image_of_the_dockerfile(folder: Path) -> None:
    service = yaml.safe_load((folder / "compose.yaml").read_text())["services"]["soapsvc"]
    assert service["image"] == f"soapsvc:{__version__}"
    assert service["read_only"] is True
    assert (folder / service["environment"]["SOAPSVC_SETTINGS"]).is_file()


def test_readme_names_files_that_are_there(folder: Path) -> None:
    readme = (folder / "README.md").read_text()
    for name in re.findall(r"^\| `([^`]+)`", readme, re.MULTILINE):
        assert (folder / name).exists()


@pytest.mark.parametrize("existing", ["file", "folder/file"])
def test_place_that_is_taken_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], existing: str) -> None:
    path = tmp_path / existing
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    assert main(["init", str(tmp_path / existing.split("/")[0])]) == 1
    assert "name a folder that is new or empty" in capsys.readouterr().err
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path]
    assert path.read_text() == "mine"


def test_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["init", str(tmp_path / "empty")]) == 0
    assert (tmp_path / "empty/models/iris/1/model.pb").is_file()


def test_folder_one_is_in_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "."]) == 1
    assert "is the folder you are in" in capsys.readouterr().err


def test_failure_on_the_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundled = tmp_path / "bundled"
    (bundled / "iris/1").mkdir(parents=True)
    (bundled / "iris/1/model.yaml").write_text("name: iris")
    monkeypatch.setattr(starter, "_BUNDLED", bundled)
    assert main(["init", str(tmp_path / "service")]) == 1
    assert "iris/1/model.yaml" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["bundled"]


def test_place_that_can_not_be_made_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    assert main(["init", str(tmp_path / "file/service")]) == 1
    assert "can't be written: " in capsys.readouterr().err
