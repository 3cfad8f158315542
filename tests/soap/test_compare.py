"""Whether an offered contract keeps a published one, and how a difference reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from soapsvc.errors import LoadError
from soapsvc.model.description import describe
from soapsvc.model.source import VersionFolder
from soapsvc.soap.compare import broken_promises
from soapsvc.soap.ns import SoapVersion
from tests.kinds import MANIFEST
from tests.soap.conftest import Service

SCORES = "{as: scoredLabels, labels: [left, right]}"


def offered(service: Service, tmp_path: Path, old: str, new: str) -> etree._Element:
    """Return the WSDL of `kinds` with one change to its manifest."""
    path = tmp_path / "kinds" / "3"
    path.mkdir(parents=True)
    assert old in MANIFEST
    (path / "model.yaml").write_text(MANIFEST.replace(old, new))
    contract = describe(VersionFolder("kinds", 3, path)).contract
    return service.contracts.endpoint_of(contract, SoapVersion.SOAP11).wsdl


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ("columns: [left, right]", "columns: [left, wrong]", "predict.right was double, is missing"),
        ("columns: [left, right]", "columns: [left, wrong]", "predict.wrong is new"),
        ("columns: [left, right]", "columns: [right, left]", "predict: the order was flag"),
        ("total:0\", dtype: int64", "total:0\", dtype: int32", "predict.total was long, is int"),
        ("shape: [batch], optional: true", "shape: [batch]", "predict.offset was double or nil, is double"),
        (SCORES, "{as: vector}", "Prediction.scores was ArrayOfScoredLabel, is ArrayOfDouble"),
        (SCORES, "{as: vector}", "ScoredLabel is missing"),
        ("name: kinds\n", "name: kinds\n", ""),
    ],
)  # fmt: skip
def test_changed_contract_is_spelled_out(service: Service, tmp_path: Path, old: str, new: str, difference: str) -> None:
    differences = broken_promises(service.endpoint().wsdl, offered(service, tmp_path, old, new))
    assert any(difference in found for found in differences) if difference else differences == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("description: Answers what it was given", "description: Something else"),
        ("flag:0", "flag_in:0"),
        ("ratio:0\", dtype: float64", "ratio:0\", dtype: float32"),
        ("labels: [left, right]", "labels: [one, two]"),
        ("max_batch: 8", "max_batch: 9"),
    ],
)  # fmt: skip
def test_change_that_no_stub_sees_is_no_difference(service: Service, tmp_path: Path, old: str, new: str) -> None:
    assert broken_promises(service.endpoint().wsdl, offered(service, tmp_path, old, new)) == []


def test_missing_operation_and_fault_are_differences(service: Service) -> None:
    published = service.endpoint().wsdl
    changed = etree.fromstring(etree.tostring(published))
    operation, other = changed.findall(".//{*}portType/{*}operation")[:2]
    operation.getparent().remove(operation)  # type: ignore[union-attr]
    other.remove(other.findall("{*}fault")[0])
    differences = broken_promises(published, changed)
    assert "operation predict is missing" in differences
    assert any(text.startswith("operation predictBatch was with faults") for text in differences)


def test_other_namespace_is_the_only_difference_told(service: Service) -> None:
    (difference,) = broken_promises(service.endpoint().wsdl, service.endpoint("inference").wsdl)
    assert difference.startswith("the namespace was")


def test_version_that_breaks_the_contract_is_not_admitted(kinds_folder: VersionFolder, tmp_path: Path) -> None:
    service = Service(kinds_folder)
    path = tmp_path / "kinds" / "3"
    path.mkdir(parents=True)
    (path / "model.yaml").write_text(MANIFEST.replace("[left, right], desc", "[left, wrong], desc"))
    service.manager.load(VersionFolder("kinds", 3, path), service.contracts.admit)
    status = service.manager.status()[-1]
    assert (status.version, status.state.value) == (3, "END")
    assert "breaks the published contract v1 of kinds" in status.reason
    assert "predict.right was double, is missing" in status.reason
    with service.manager.handle("kinds") as servable:
        assert servable.version == 2


def test_new_contract_version_stands_beside_the_old(kinds_folder: VersionFolder, tmp_path: Path) -> None:
    service = Service(kinds_folder)
    path = tmp_path / "kinds" / "3"
    path.mkdir(parents=True)
    manifest = MANIFEST.replace("[left, right], desc", "[left, wrong], desc").replace(
        "contract:\n", "contract:\n  version: 2\n"
    )
    (path / "model.yaml").write_text(manifest)
    service.manager.load(VersionFolder("kinds", 3, path), service.contracts.admit)
    second = service.contracts.find(SoapVersion.SOAP11, "kinds", 2)
    assert second is not None
    assert second.names.namespace == "urn:soapsvc:kinds:v2"
    with service.manager.handle("kinds", contract=1) as servable:
        assert servable.version == 2


def test_model_named_like_the_generic_service_is_refused(service: Service) -> None:
    with service.manager.handle("kinds") as servable, pytest.raises(LoadError, match="generic service"):
        service.contracts.admit(replace(servable, name="inference"))
