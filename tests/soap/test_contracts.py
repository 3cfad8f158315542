"""Which contract is the published one, and that publishing disturbs no call."""

from __future__ import annotations

import gc
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from soapsvc.engine.local import LocalEngine
from soapsvc.model.contract import Contract
from soapsvc.model.description import describe
from soapsvc.model.manager import ModelManager
from soapsvc.model.source import VersionFolder
from soapsvc.model.status import State
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.ns import SoapVersion
from tests.kinds import MANIFEST
from tests.soap.conftest import Service, envelope, load_kinds

LEFT_RIGHT, LEFT_WRONG = "columns: [left, right]", "columns: [left, wrong]"


def version(tmp_path: Path, number: int, manifest: str = MANIFEST) -> VersionFolder:
    path = tmp_path / "kinds" / str(number)
    path.mkdir(parents=True)
    (path / "model.yaml").write_text(manifest)
    return VersionFolder("kinds", number, path)


def contract_of(folder: VersionFolder) -> Contract:
    return describe(folder).contract


class Gate:
    """A container and its contracts."""

    def __init__(self, golden: Path | None = None) -> None:
        self.manager = ModelManager(load_kinds)
        self.contracts = Contracts(self.manager, LocalEngine(), golden)

    def load(self, folder: VersionFolder) -> str:
        """Return the reason why a version is refused, "" when it serves."""
        self.manager.load(folder, self.contracts.admit)
        (status,) = [each for each in self.manager.status() if each.version == folder.version]
        assert (status.state is State.AVAILABLE) == (status.reason == "")
        return status.reason


def write_wsdl(gate: Gate, folder: VersionFolder, path: Path) -> None:
    wsdl = gate.contracts.endpoint_of(contract_of(folder), SoapVersion.SOAP11).wsdl
    path.write_bytes(etree.tostring(wsdl))


def test_golden_wsdl_holds_even_the_first_version(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    good, bad = version(tmp_path, 1), version(tmp_path, 2, MANIFEST.replace(LEFT_RIGHT, LEFT_WRONG))
    write_wsdl(gate, good, tmp_path / "kinds.wsdl")
    reason = gate.load(bad)
    assert reason.startswith("breaks the published contract v1 of kinds: ")
    assert "predict.right was double, is missing; predict.wrong is new" in reason
    assert gate.contracts.find(SoapVersion.SOAP11, "kinds", 1) is None
    assert gate.load(good) == ""


def test_golden_wsdl_of_another_contract_version_has_its_own_file(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    second = MANIFEST.replace("contract:\n", "contract:\n  version: 2\n")
    folder = version(tmp_path, 2, second.replace(LEFT_RIGHT, LEFT_WRONG))
    write_wsdl(gate, version(tmp_path, 3, second), tmp_path / "kinds.v2.wsdl")
    assert gate.load(version(tmp_path, 1)) == ""
    assert "breaks the published contract v2 of kinds" in gate.load(folder)


@pytest.mark.parametrize("content", ["", "<a/>", "nonsense"])
def test_golden_wsdl_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "kinds.wsdl").write_text(content)
    assert "kinds.wsdl: expected a WSDL file" in Gate(tmp_path).load(version(tmp_path, 1))


def test_lowest_expected_contract_is_the_published_one_until_one_is_loaded(tmp_path: Path) -> None:
    gate = Gate()
    low, high = version(tmp_path, 1), version(tmp_path, 2, MANIFEST.replace(LEFT_RIGHT, LEFT_WRONG))
    gate.contracts.expect("kinds", [contract_of(low), contract_of(high)])
    assert "predict.right was double, is missing" in gate.load(high)
    gate.contracts.expect("kinds", [contract_of(high)])
    assert gate.load(high) == ""
    gate.contracts.expect("kinds", [contract_of(low), contract_of(high)])
    assert "predict.wrong was double, is missing" in gate.load(low)


@pytest.mark.parametrize("change", [("flag:0", "flag_in:0"), ("labels: [left, right]", "labels: [one, two]")])
def test_version_whose_stubs_are_the_same_makes_no_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str]
) -> None:
    gate = Gate()
    assert gate.load(version(tmp_path, 1)) == ""
    monkeypatch.setattr(gate.contracts, "endpoint_of", lambda *_: pytest.fail("an endpoint was made"))
    contract = contract_of(version(tmp_path, 2, MANIFEST.replace(*change)))
    servable = replace(load_kinds(VersionFolder("kinds", 1, tmp_path / "kinds" / "1")), contract=contract, version=2)
    gate.contracts.admit(servable)


def test_hundred_versions_leave_no_classes_behind(tmp_path: Path) -> None:
    gate, folder = Gate(), version(tmp_path, 1)
    assert gate.load(folder) == ""
    gc.collect()
    before = len(gc.get_objects())
    for number in range(2, 102):
        assert gate.load(replace(folder, version=number)) == ""
        gate.manager.unload("kinds", number)
        gate.manager.forget("kinds", number)
    gc.collect()
    assert len(gc.get_objects()) - before < 2000, "an endpoint is 3,000 objects"


def test_contracts_published_while_calls_run_disturb_none(service: Service, tmp_path: Path) -> None:
    statuses: list[int] = []
    done = threading.Event()

    def call() -> None:
        while not done.is_set():
            statuses.append(service.post(envelope('<getModelInfo xmlns="urn:soapsvc:kinds:v1"/>')).status)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    gate = Gate()
    for number in range(1, 6):
        manifest = MANIFEST.replace("contract:\n", f"contract:\n  version: {number}\n")
        assert gate.load(version(tmp_path, number, manifest)) == ""
    done.set()
    for thread in threads:
        thread.join(60)
    assert statuses
    assert set(statuses) == {200}
