"""The dashboard and the alert rules ask for metrics and labels that the server has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import yaml

from soapsvc.metrics.definitions import ALL
from tests.conftest import ROOT

MONITORING = ROOT / "deploy/monitoring"
_SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
_ADDED = {"histogram": {"le"}}


def known() -> dict[str, set[str]]:
    """Return the labels of each series that the server tells, by its name."""
    series: dict[str, set[str]] = {}
    for metric in ALL:
        (family,) = metric.collect()
        for suffix in _SUFFIXES[family.type]:
            series[family.name + suffix] = {*metric._labelnames, *_ADDED.get(family.type, set())}
    return series


def expressions() -> Iterator[str]:
    for panel in json.loads((MONITORING / "grafana.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for group in yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    yield from re.findall(r"\| `(.*?soapsvc_.*?)` \|$", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("expression", list(expressions()))
def test_expression_names_series_and_labels_that_there_are(expression: str) -> None:
    series = known()
    found = re.findall(r"(soapsvc_\w+)(?:\{([^}]*)\})?", expression)
    assert found
    labels = set()
    for name, selector in found:
        assert name in series
        assert set(re.findall(r"(\w+)\s*[=!]", selector)) <= series[name]
        labels |= series[name]
    for names in re.findall(r"\bby \(([^)]*)\)", expression):
        assert set(names.split(", ")) <= labels
    assert expression.count("(") == expression.count(")")


def test_every_metric_is_on_the_dashboard() -> None:
    shown = (MONITORING / "grafana.json").read_text()
    names = {metric.collect()[0].name for metric in ALL}
    assert {name for name in names if name not in shown} == set()
