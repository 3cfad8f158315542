"""Settings: where they come from, which source wins, and what is said of a wrong one."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from soapsvc.settings import Settings, SettingsError, read_settings
from tests.conftest import ROOT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "soapsvc.toml"
    path.write_text("port = 1111\nthreads = 3\n[version_labels.iris]\nstable = 1\n")
    return path


def test_settings_without_any_source_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {})
    settings = read_settings([])
    assert (settings.host, settings.port, settings.models) == ("127.0.0.1", 8080, Path("models"))


def test_arguments_win_over_environment_which_wins_over_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings(["--settings", str(file)]).port == 1111
    monkeypatch.setenv("SOAPSVC_PORT", "2222")
    assert read_settings(["--settings", str(file)]).port == 2222
    settings = read_settings(["--settings", str(file), "--port", "3333"])
    assert (settings.port, settings.threads, settings.version_labels) == (3333, 3, {"iris": {"stable": 1}})


def test_settings_go_over_to_a_worker_unchanged(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOAPSVC_VERSION_LABELS", '{"iris": {"canary": 2}}')
    monkeypatch.setenv("SOAPSVC_PORT", "2222")
    policy = '{"iris": {"versions": [1]}, "*": "all"}'
    settings = read_settings(
        ["--settings", str(file), "--version-policy", policy, "--op-libraries", "a,b", "--port", "3"]
    )
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


def test_settings_file_can_come_from_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOAPSVC_SETTINGS", str(file))
    assert read_settings([]).port == 1111


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "http"], "port: .*integer.*'http'"),
        (["--port", "70000"], "port: .*65535.*'70000'"),
        (["--public-url", "ml.example.org"], "public_url: expected a URL that starts with http"),
        (["--settings", "none.toml"], "there is no file none.toml"),
        (["--log-level", "loud"], "log_level: "),
        (["--version-policy", '{"iris": {"latest": 0}}'], 'version_policy.iris: expected "all", {"latest": 2}'),
        (["--version-policy", '{"iris": "some"}'], "version_policy.iris: expected"),
        (["--version-policy", '{"iris": {"versions": 1}}'], "version_policy.iris: expected"),
        (["--watch-interval-s", "-1"], "watch_interval_s: .*'-1'"),
    ],
)
def test_wrong_setting_is_named_with_what_is_allowed(arguments: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_settings(arguments)


def test_unknown_setting_in_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "soapsvc.toml"
    path.write_text("prot = 1\n")
    with pytest.raises(SettingsError, match="prot: there is no such setting"):
        read_settings(["--settings", str(path)])


def test_broken_settings_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "soapsvc.toml"
    path.write_text("port = = 1\n")
    with pytest.raises(SettingsError, match=r"soapsvc\.toml"):
        read_settings(["--settings", str(path)])


@pytest.mark.parametrize("policy", ["all", {"latest": 2}, {"versions": [1, 3]}, {"versions": []}])
def test_version_policy_is_read_from_a_file(tmp_path: Path, policy: object) -> None:
    path = tmp_path / "soapsvc.toml"
    path.write_text(f"[version_policy]\niris = {json.dumps(policy).replace(': ', ' = ')}\n")
    assert read_settings(["--settings", str(path)]).version_policy == {"iris": policy}


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://localhost:8080"),
        ({"host": "0.0.0.0", "port": 80}, "http://localhost:80"),
        ({"host": "10.0.0.7"}, "http://10.0.0.7:8080"),
        ({"host": "::1"}, "http://[::1]:8080"),
        ({"tls_certificate": "server.pem"}, "https://localhost:8080"),
        ({"public_url": "https://ml.example.org/x/"}, "https://ml.example.org/x"),
    ],
)
def test_base_url_is_one_that_a_client_can_use(given: dict[str, object], url: str) -> None:
    assert Settings.model_validate(given).base_url == url


def test_requirements_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == project["dependencies"]
