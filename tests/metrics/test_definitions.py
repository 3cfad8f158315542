"""docs/metrics.md lists every metric with its labels and meaning, as the code defines them."""

from __future__ import annotations

import re
from pathlib import Path

from soapsvc.metrics.definitions import ALL

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"


def row(metric: object) -> str:
    (family,) = metric.collect()  # type: ignore[attr-defined]
    name = family.name + ("_total" if family.type == "counter" else "")
    labels = ", ".join(f"`{label}`" for label in metric._labelnames) or "none"  # type: ignore[attr-defined]
    return f"| `{name}` ({family.type}) | {labels} | {family.documentation} |"


def test_documentation_lists_every_metric() -> None:
    listed = re.search(r"<!-- metrics -->\n(.*?)<!-- /metrics -->", DOCS.read_text(), re.DOTALL)
    assert listed is not None
    assert listed[1].splitlines() == [row(metric) for metric in ALL]
