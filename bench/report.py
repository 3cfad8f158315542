"""Tables of results, as plain text or Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec

from bench.measure import Result
from bench.subjects import OURS, STOCK

_HEADINGS = (
    "server", "calls/s", "spread", "/ ours", "/ stock", "/ floor", "p50 ms", "p99 ms", "longest ms", "CPU us/call",
)  # fmt: skip


def results_table(results: Sequence[Result], markdown: bool) -> str:
    """Return one line for each subject, in the order in which they ran."""
    rates = {result.name: result.calls_per_s for result in results}
    rows = [
        (
            result.name, f"{result.calls_per_s:,.0f}", f"{result.spread:.0%}", _ratio(rates, result, OURS.name),
            _ratio(rates, result, STOCK.name), _ratio(rates, result, result.floor), f"{result.p50_ms:.1f}",
            f"{result.p99_ms:.1f}", f"{result.max_ms:.1f}", f"{result.cpu_us:.0f}",
        )
        for result in results
    ]  # fmt: skip
    return table(_HEADINGS, rows, markdown)


def _ratio(rates: Mapping[str, float], result: Result, to: str) -> str:
    return f"{result.calls_per_s / rates[to]:.2f}" if to in rates else "-"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], markdown: bool, texts: int = 1) -> str:
    """Return a table whose first columns are texts, as many as told, and whose others are numbers."""
    widths = [max(len(line[column]) for line in (headings, *rows)) for column in range(len(headings))]
    lines = [_line(cells, widths, markdown, texts) for cells in (headings, *rows)]
    ends = ["-"] * texts + [":" if markdown else "-"] * (len(widths) - texts)
    rule = ["-" * (width - 1) + end for width, end in zip(widths, ends, strict=True)]
    lines.insert(1, _line(rule, widths, markdown, texts))
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int], markdown: bool, texts: int) -> str:
    padded = [
        cell.ljust(width) if column < texts else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |" if markdown else "  ".join(padded)


def surroundings() -> str:
    """Return in one line what the figures depend on besides the code: cores and versions."""
    names = ("tensorflow", "spyne", "lxml", "waitress", "granian", "numpy")
    packages = ", ".join(f"{name} {version(name)}" for name in names if find_spec(name))
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {packages}"
