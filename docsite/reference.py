"""Reference tables of docs/, made from the code: `python -m docsite.reference` writes them between their marks.

A page has `<!-- made: NAME -->` before a table and `<!-- /made -->` behind it. What stands around them is written by
hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from docsite.command_line import command_sections
from docsite.manifest_tables import key_table, manifest_models
from docsite.settings_table import settings_table
from docsite.sources import DOCS, ROOT
from docsite.tables import plain, table
from soapsvc.metrics.definitions import ALL
from soapsvc.soap.faults import FAULT_FOR, FaultType
from soapsvc.soap.ns import SoapVersion

MADE = re.compile(r"(<!-- made: (.+?) -->\n\n)(.*?)(<!-- /made -->)", re.DOTALL)


def metrics_table() -> str:
    """Return every metric with its type, labels and meaning."""
    return table(("metric", "labels", "what it is"), (_metric(family) for family in ALL))


def _metric(metric: object) -> tuple[str, str, str]:
    (family,) = metric.collect()  # type: ignore[attr-defined]
    name = family.name + ("_total" if family.type == "counter" else "")
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # type: ignore[attr-defined]
    return f"`{name}` ({family.type})", labels or "none", plain(family.documentation)


def faults_table() -> str:
    """Return every typed fault with whose fault it is, in both versions of SOAP, and its fields."""
    return table(("fault", "`faultcode`", "SOAP 1.2", "further fields", "when"), map(_fault, FAULT_FOR.values()))


def _fault(fault: FaultType) -> Iterable[str]:
    fields = ", ".join(f"`{member.element}` ({member.type})" for member in fault.members) or "none"
    codes = (fault.code.name_in(SoapVersion.SOAP11), fault.code.name_in(SoapVersion.SOAP12))
    return f"`{fault.name}`", *codes, fields, plain(fault.description)


TABLES: dict[str, Callable[[], str]] = {
    "settings": settings_table,
    "metrics": metrics_table,
    "faults": faults_table,
    "command line": command_sections,
    **{f"manifest {model.__name__}": partial(key_table, model) for model in manifest_models()},
}


def filled(text: str) -> str:
    """Return a page's text with every table that is made from the code as the code gives it now."""
    return MADE.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n\n{found[4]}", text)


def pages() -> list[Path]:
    """Return the pages that have such tables."""
    return [path for path in sorted((ROOT / DOCS).glob("*.md")) if "<!-- made: " in path.read_text()]


def main() -> None:
    """Write every table anew."""
    for path in pages():
        path.write_text(filled(path.read_text()))


if __name__ == "__main__":
    main()
