"""What stands in the models folder decides what is loaded; stubs stand in for graphs, the folders are real."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from soapsvc.errors import LoadError
from soapsvc.model import lifecycle as module
from soapsvc.model.contract import Contract
from soapsvc.model.lifecycle import Lifecycle
from soapsvc.model.manager import ModelManager
from soapsvc.model.policy import VersionPolicies
from soapsvc.model.servable import Servable
from soapsvc.model.source import VersionFolder
from soapsvc.model.status import State
from tests.model.folders import DOUBLE, changed, write_version
from tests.model.test_manager import stub


class Clock:
    """A monotonic clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Gate:
    """Admits everything; notes what it was told to expect."""

    def __init__(self) -> None:
        self.expected: dict[str, list[int]] = {}

    def expect(self, model: str, contracts: Sequence[Contract]) -> None:
        self.expected[model] = [contract.version for contract in contracts]

    def admit(self, servable: Servable) -> None:
        """Refuse nothing."""


class Site:
    """A models folder, a manager and the lifecycle between them."""

    def __init__(self, models: Path, clock: Clock, policy: Any = None, labels: Any = None, trial: Any = None) -> None:
        self.models, self.clock, self.gate = models, clock, Gate()
        self.loads: list[int] = []
        self.manager = ModelManager(self._load)
        policies = VersionPolicies({"*": policy} if policy else {})
        self.lifecycle = Lifecycle(models, self.manager, self.gate, policies, labels or {}, trial)

    def _load(self, folder: VersionFolder) -> Servable:
        manifest = yaml.safe_load((folder.path / "model.yaml").read_text())
        self.loads.append(folder.version)
        if (folder.path / "model.pb").read_bytes() == b"bad":
            raise LoadError("it is bad")
        return stub(folder, manifest.get("contract", {}).get("version", 1))

    def publish(self, version: int, graph: bytes = b"good", contract: int = 1) -> None:
        write_version(self.models, changed(DOUBLE, "contract.version", contract), graph, version=version)

    def start(self) -> list[int]:
        self.lifecycle.start(None)
        return self.served()

    def scan(self, retry: bool = False) -> list[int]:
        """Look once, when files have settled, and let what is withdrawn be freed."""
        self.lifecycle.scan(retry)
        self.clock.now += 1.0
        self.lifecycle.scan()
        for thread in threading.enumerate():
            if thread.name.startswith("unload"):
                thread.join(30)
        return self.served()

    def served(self) -> list[int]:
        return sorted(self.manager.contracts("double"))

    def status(self, version: int) -> Any:
        return next((each for each in self.manager.status() if each.version == version), None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module.time, "monotonic", clock)
    return clock


@pytest.fixture
def site(models: Path, clock: Clock) -> Site:
    """An empty models folder under the default policy."""
    return Site(models, clock)


# Which versions


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        (None, [4]),
        ({"latest": 2}, [3, 4]),
        ("all", [1, 3, 4]),
        ({"versions": [1, 2, 3]}, [1, 3]),
        ({"versions": []}, []),
    ],
)
def test_policy_chooses_the_versions(models: Path, clock: Clock, policy: Any, served: list[int]) -> None:
    site = Site(models, clock, policy)
    for version in (1, 3, 4):
        site.publish(version)
    assert site.start() == served


def test_policy_of_a_model_wins_over_that_of_every_model() -> None:
    policies = VersionPolicies({"*": "all", "iris": {"latest": 3}})
    assert (str(policies.of("iris")), str(policies.of("digits"))) == ("latest 3", "all")
    assert str(VersionPolicies({}).of("iris")) == "latest 1"


def test_bad_version_counts_for_nothing_at_start(site: Site) -> None:
    site.publish(1)
    site.publish(2, b"bad")
    assert site.start() == [1]
    assert (site.status(2).state, site.status(2).reason) == (State.END, "it is bad")


def test_latest_counts_within_each_contract(site: Site) -> None:
    for version, contract in ((1, 1), (2, 1), (3, 2), (4, 2)):
        site.publish(version, contract=contract)
    assert site.start() == [2, 4]
    assert site.gate.expected["double"] == [1, 1, 2, 2]


def test_labelled_version_is_served_whatever_the_policy(models: Path, clock: Clock) -> None:
    site = Site(models, clock, labels={"double": {"stable": 1}})
    for version in (1, 2, 3):
        site.publish(version)
    assert site.start() == [1, 3]


# Changes


def test_new_version_takes_over_and_the_old_one_is_unloaded(site: Site) -> None:
    site.publish(1)
    site.start()
    site.publish(2)
    assert site.scan() == [2]
    assert (site.status(1).state, site.status(1).reason) == (State.END, "not wanted: version_policy is latest 1")
    assert not site.status(1).failed


def test_bad_new_version_leaves_the_old_one_serving(site: Site) -> None:
    site.publish(1)
    site.start()
    site.publish(2, b"bad")
    assert site.scan() == [1]
    assert site.status(2).failed
    assert site.scan() == [1]
    assert site.loads == [1, 2], "what failed is not tried again until it changes"


def test_failed_version_is_tried_again_when_its_folder_changes(site: Site, models: Path) -> None:
    site.publish(1, b"bad")
    assert site.start() == []
    (models / "double/1/model.pb").write_bytes(b"mended")
    assert site.scan() == [1]


def test_failed_version_is_tried_again_at_a_reload_and_when_another_goes(site: Site, models: Path) -> None:
    site.publish(1)
    site.publish(2, b"bad")
    site.start()
    site.scan(retry=True)
    shutil.rmtree(models / "double/1")
    site.scan()
    assert site.loads == [2, 1, 2, 2]


def test_removed_version_gives_way_to_the_next_lower_one(site: Site, models: Path) -> None:
    site.publish(1)
    site.publish(2)
    assert site.start() == [2]
    shutil.rmtree(models / "double/2")
    assert site.scan() == [1]
    assert site.status(2) is None, "what is neither served nor there is not told of"


def test_last_version_of_a_contract_serves_on_without_its_folder(site: Site, models: Path) -> None:
    site.publish(1)
    site.publish(2, contract=2)
    site.start()
    shutil.rmtree(models / "double/1")
    assert site.scan() == [1, 2]
    assert site.status(1).note == "its folder is gone; it serves on, for no other version keeps contract v1"


def test_labelled_version_serves_on_without_its_folder(models: Path, clock: Clock) -> None:
    site = Site(models, clock, labels={"double": {"stable": 1}})
    site.publish(1)
    site.publish(2)
    site.start()
    shutil.rmtree(models / "double/1")
    assert site.scan() == [1, 2]
    assert "for a label names it" in site.status(1).note


def test_model_whose_every_version_failed_is_forgotten_with_its_folder(site: Site, models: Path) -> None:
    site.publish(1, b"bad")
    site.start()
    shutil.rmtree(models / "double")
    site.scan()
    assert site.manager.status() == []


def test_folder_that_still_changes_is_left_alone(site: Site, models: Path) -> None:
    site.start()
    site.publish(1)
    for size in range(3):
        (models / "double/1/model.pb").write_bytes(b"x" * size)
        assert site.lifecycle.scan(), "another look is needed soon"
        site.clock.now += 0.9
        assert (site.status(1).state, site.status(1).reason) == (State.START, "its files still change")
    site.clock.now += 0.2
    assert not site.lifecycle.scan()
    assert site.served() == [1]


def test_version_that_changes_while_it_is_tried_is_no_failure(models: Path, clock: Clock) -> None:
    def trial(folders: Sequence[VersionFolder]) -> Mapping[VersionFolder, str]:
        if (graph := folders[0].path / "model.pb").read_bytes() == b"half":
            graph.write_bytes(b"whole")
            return {folders[0]: "sha256 is another"}
        return {}

    site = Site(models, clock, trial=trial)
    site.start()
    site.publish(1, b"half")
    site.scan()
    assert (site.status(1).state, site.loads) == (State.START, [])
    assert site.scan() == [1]


def test_trial_is_of_versions_found_after_start_and_refuses(models: Path, clock: Clock) -> None:
    tried: list[int] = []

    def trial(folders: Sequence[VersionFolder]) -> Mapping[VersionFolder, str]:
        tried.extend(folder.version for folder in folders)
        return dict.fromkeys(folders, "it ends the process")

    site = Site(models, clock, trial=trial)
    site.publish(1)
    assert site.start() == [1]
    site.publish(2)
    assert site.scan() == [1]
    assert (tried, site.loads, site.status(2).reason) == ([2], [1], "it ends the process")


def test_version_with_a_broken_manifest_costs_no_trial(models: Path, clock: Clock) -> None:
    site = Site(models, clock, trial=lambda folders: pytest.fail(f"tried {folders}"))
    site.start()
    site.publish(1)
    (models / "double/1/model.yaml").write_text("format: [")
    site.scan()
    assert site.status(1).failed


# What goes wrong around it


def test_models_folder_gone_changes_nothing_and_is_told_once(
    site: Site, models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    site.publish(1)
    site.start()
    models.rename(models.with_name("away"))
    for _ in range(3):
        assert site.scan() == [1]
    assert "can't be listed (No such file or directory)" in site.lifecycle.problems[0]
    assert caplog.text.count("can't be listed") == 1
    models.with_name("away").rename(models)
    assert site.scan() == [1]
    assert site.lifecycle.problems == []
    assert site.loads == [1]
    assert "solved: " in caplog.text


def test_model_folder_that_cannot_be_listed_changes_nothing(
    site: Site, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.publish(1)
    site.publish(2)
    site.start()
    listed = Path.iterdir

    def iterdir(path: Path) -> Any:  # as the system answers another user than root
        if path.name == "double":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert site.scan() == [2]
    assert "double can't be listed (Permission denied)" in site.lifecycle.problems[0]


# Labels


def test_labels_file_overrules_the_settings_and_moves_a_label(models: Path, clock: Clock) -> None:
    site = Site(models, clock, "all", labels={"double": {"stable": 1, "canary": 2}})
    for version in (1, 2, 3):
        site.publish(version)
    site.start()
    (models / "double/labels.yaml").write_text("stable: 3\n")
    site.scan()
    assert {label.label: label.version for label in site.manager.labels()} == {"stable": 3, "canary": 2}


@pytest.mark.parametrize("content", ["stable: [", "- 1", "stable: one", "stable: true", "Stable: 1", "stable: 0", "7"])
def test_broken_labels_file_moves_no_label_and_is_told(site: Site, models: Path, content: str) -> None:
    site.publish(1)
    (models / "double/labels.yaml").write_text("stable: 1\n")
    site.start()
    (models / "double/labels.yaml").write_text(content)
    site.scan()
    assert [(label.label, label.version) for label in site.manager.labels()] == [("stable", 1)]
    assert site.lifecycle.problems[0].startswith("double/labels.yaml: ")
