"""Cases and projects of the test model, whose graph needs no TensorFlow here; tests/clients has the real models'."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from soapsvc.errors import LoadError
from soapsvc.model.servable import Servable
from soapsvc.model.source import VersionFolder
from soapsvc.soap.application import SoapEndpoint
from soapsvc.soap.contracts import lone_endpoint
from soapsvc.soap.ns import SoapVersion
from soapsvc.soapui.cases import Case, cases
from soapsvc.soapui.project import project
from tests.kinds import MANIFEST
from tests.soap.conftest import load_kinds


@pytest.fixture
def folder(tmp_path: Path) -> VersionFolder:
    (tmp_path / "model.yaml").write_text(MANIFEST)
    return VersionFolder("kinds", 1, tmp_path)


@pytest.fixture
def servable(folder: VersionFolder) -> Servable:
    return load_kinds(folder)


@pytest.fixture(params=SoapVersion)
def endpoint(request: pytest.FixtureRequest, folder: VersionFolder, servable: Servable) -> SoapEndpoint:
    return lone_endpoint(folder, servable, request.param)


def with_value(servable: Servable, element: str, value: object) -> Servable:
    """Return a servable whose golden input has another value."""
    sample = [
        value if field.element == element else golden
        for field, golden in zip(servable.contract.inputs, servable.sample or [], strict=True)
    ]
    return replace(servable, sample=sample)


def checks(case: Case) -> list[str]:
    return [assertion.name for assertion in case.assertions]


def test_every_operation_has_a_case_and_the_missing_input_one_more(endpoint: SoapEndpoint, servable: Servable) -> None:
    found = {case.name: checks(case) for case in cases(endpoint, servable)}
    sound = ["HTTP Status 200", "Schema Compliance", "Not SOAP Fault"]
    label = "m:scores/m:item[1]/m:label"
    assert found == {
        "predict": [*sound, "Contains right", f"XPath //m:predictResult/{label}"],
        "predictBatch": [
            *sound,
            "Contains right",
            f"XPath //m:predictBatchResult/m:item[1]/{label}",
            f"XPath //m:predictBatchResult/m:item[2]/{label}",
        ],
        "getModelInfo": [
            *sound,
            "Contains kinds",
            "XPath //m:getModelInfoResult/m:name",
            "XPath //m:getModelInfoResult/m:contractVersion",
        ],
        "predict without input": [
            "HTTP Status 500",
            "SOAP Fault",
            "Contains InvalidInput",
            "XPath //m:InvalidInput/m:code",
            "XPath //m:InvalidInput/m:field",
        ],
    }


def test_model_without_labels_is_checked_by_schema_and_version(
    tmp_path_factory: pytest.TempPathFactory, servable: Servable
) -> None:
    path = tmp_path_factory.mktemp("plain")
    (path / "model.yaml").write_text(MANIFEST.replace("    scores: {as: scoredLabels, labels: [left, right]}\n", ""))
    folder = VersionFolder("kinds", 1, path)
    plain = load_kinds(folder)
    predict, *_ = cases(lone_endpoint(folder, plain, SoapVersion.SOAP11), plain)
    assert checks(predict)[-1] == "Contains modelVersion"


def test_sample_that_the_model_refuses_is_an_error(folder: VersionFolder, servable: Servable) -> None:
    refusing = with_value(servable, "picture", b"no picture")
    with pytest.raises(
        LoadError, match=r"kinds refuses its sample request for predict: picture: .*; add golden inputs"
    ):
        cases(lone_endpoint(folder, refusing, SoapVersion.SOAP11), refusing)


def test_text_that_looks_like_a_property_is_not_expanded(endpoint: SoapEndpoint, servable: Servable) -> None:
    other = with_value(servable, "note", "${user.home}")
    written = etree.fromstring(project(endpoint, "http://localhost", cases(endpoint, other)))
    texts = [str(node.text) for node in written.iter("{*}request") if not len(node)]
    assert sum("<note>$${user.home}</note>" in text for text in texts) == 4  # predict and predictBatch, twice each


def test_same_arguments_give_the_same_bytes(endpoint: SoapEndpoint, servable: Servable) -> None:
    first, second = (project(endpoint, "http://localhost", cases(endpoint, servable)) for _ in range(2))
    assert first == second
