"""The three tables of bench-full, and their place in docs/performance.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.iris import REPOSITORY
from bench.measure import Result
from bench.report import table
from bench.targets import TARGETS, Absent, Results
from bench.workloads import WORKLOADS

PAGE = REPOSITORY / "docs" / "performance.md"
SINGLE = ("iris", "iris-rest", "iris-grpc")
_PEER_HEADINGS = ("server", "connections", "calls/s", "spread", "p50 ms", "p99 ms", "CPU us/call")
_WORKLOAD_HEADINGS = (
    "workload", "connections", "calls/s", "spread", "p50 ms", "p99 ms", "CPU us/call", "/ bare callable", "/ reader",
)  # fmt: skip
_TARGET_HEADINGS = ("workload", "against", "target", "measured", "reached")


def peers_table(results: Sequence[Result], markdown: bool) -> str:
    """Return iris predict across servers and connections."""
    return table(_PEER_HEADINGS, [(each.name, *_figures(each)) for each in _peers(results)], markdown)


def _peers(results: Sequence[Result]) -> list[Result]:
    singles = [each for each in results if each.workload in SINGLE and each.name not in ("bare callable", "reader")]
    order = {name: place for place, name in enumerate(dict.fromkeys(each.name for each in singles))}
    return sorted(singles, key=lambda each: (order[each.name], each.connections))


def _figures(result: Result) -> tuple[str, ...]:
    rate = result.calls_per_s
    shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2f}"
    times = _ms(result.p50_ms), _ms(result.p99_ms), f"{result.cpu_us:,.0f}"
    return str(result.connections), shown, f"{result.spread:.0%}", *times


def _ms(value: float) -> str:
    return f"{value:.1f}" if value >= 0.1 else f"{value:.3f}"


def workloads_table(results: Results, markdown: bool) -> str:
    """Return the workloads on our server, each against running the graph alone and receiving the message alone.

    Beside MobileNetV2 stands the bare handler that does both.
    """
    shown = {"ours": "", "ours, large models": "", "bare handler with the graph": ", bare handler"}
    of_workloads = [
        each for each in results.all if each.name in shown and (each.workload != "iris" or each.connections == 8)
    ]
    rows = [
        (
            WORKLOADS[each.workload].title + shown[each.name],
            *_figures(each),
            _ratio(results, each, "bare callable"),
            _ratio(results, each, "reader"),
        )
        for each in of_workloads
    ]
    return table(_WORKLOAD_HEADINGS, rows, markdown)


def _ratio(results: Results, ours: Result, floor: str) -> str:
    try:
        return f"{ours.calls_per_s / results.rate(floor, ours.workload, ours.connections):.2f}"
    except Absent:
        return "-"


def targets_table(results: Results, markdown: bool) -> str:
    """Return each target with the ratio of this run; a line without a figure says what was absent."""
    rows = []
    for target in TARGETS:
        bound = f"at {'most' if target.at_most else 'least'} {target.bound:g}"
        try:
            ratio = target.ratio(results)
            told = (f"{ratio:.2f}", "yes" if target.reached(ratio) else "no")
        except Absent as err:
            told = ("-", f"absent: {err}")
        rows.append((target.workload, target.against, bound, *told))
    return table(_TARGET_HEADINGS, rows, markdown, texts=3)


def report(results: Results, absent: Mapping[str, str], header: str, markdown: bool) -> str:
    """Return everything that is printed, and that stands in the documentation."""
    footer = [f"Absent: {name}: {reason}" for name, reason in sorted(absent.items())] or ["All peers took part."]
    if markdown:
        footer = [f"- {line}" for line in footer]
    parts = (
        header, *_titled("Iris predict", peers_table(results.all, markdown), markdown), "\n".join(footer),
        *_titled("Other workloads", workloads_table(results, markdown), markdown),
        *_titled("Numbers to reach", targets_table(results, markdown), markdown),
    )  # fmt: skip
    return "\n\n".join(parts)


def _titled(title: str, text: str, markdown: bool) -> tuple[str, str]:
    return (f"### {title}" if markdown else title.upper()), text


def write_docs(texts: Mapping[str, str], page: Path = PAGE) -> None:
    """Put each text between the markers of its name, `<!-- name -->` and `<!-- /name -->`. Raises ValueError."""
    content = page.read_text(encoding="utf-8")
    for name, text in texts.items():
        before, begin, rest = content.partition(f"<!-- {name} -->")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        if not (begin and end):
            raise ValueError(f"{page} needs a line <!-- {name} --> and, after it, <!-- /{name} -->")
        content = f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}"
    page.write_text(content, encoding="utf-8")
