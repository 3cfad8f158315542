"""Plots of a run of bench-full: PNG for other pages, SVG for ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.full_report import SINGLE
from bench.measure import Result
from bench.peers.runtimes import FLOORS
from bench.targets import TARGETS, Absent, Results

_OURS, _THEIRS, _MISSED = "#1f6f8b", "#b9bec4", "#c0504d"


def plot(results: Results, folder: Path) -> None:
    """Write performance-peers, performance-latency and performance-targets into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams["svg.hashsalt"] = "soapsvc"  # the same file for the same figures
    servers = [each for each in results.all if each.name not in ("bare callable", "reader", *FLOORS)]
    singles = [each for each in servers if each.workload in SINGLE]
    connections = sorted({each.connections for each in singles})
    figure = Figure((4.2 * len(connections) + 2, 6), layout="constrained")
    for axes, count in zip(
        figure.subplots(1, len(connections), sharey=True, squeeze=False)[0], connections, strict=True
    ):
        _rates(axes, [each for each in singles if each.connections == count], count)
    figure.axes[0].invert_yaxis()
    _save(figure, folder / "performance-peers")
    figure = Figure((8, 6), layout="constrained")
    _latencies(figure.subplots(), [each for each in singles if each.connections == 8])
    _save(figure, folder / "performance-latency")
    figure = Figure((8, 5), layout="constrained")
    _targets(figure.subplots(), results)
    _save(figure, folder / "performance-targets")


def _rates(axes: Axes, results: Sequence[Result], connections: int) -> None:
    names = [each.name for each in results]
    rates = [[one.load.calls_per_s for one in each.rounds] for each in results]
    medians = [each.calls_per_s for each in results]
    spread = [
        [middle - min(own) for middle, own in zip(medians, rates, strict=True)],
        [max(own) - middle for middle, own in zip(medians, rates, strict=True)],
    ]
    colours = [_OURS if name.startswith("ours") else _THEIRS for name in names]
    axes.barh(names, medians, xerr=spread, color=colours, ecolor="#555555", capsize=2)
    axes.set(title=f"{connections} connection{'s' * (connections > 1)}", xlabel="calls/s, median and spread")


def _latencies(axes: Axes, results: Sequence[Result]) -> None:
    names = [each.name for each in results]
    axes.hlines(names, [each.p50_ms for each in results], [each.p99_ms for each in results], color=_THEIRS, linewidth=3)
    axes.plot([each.p50_ms for each in results], names, "o", color=_OURS, label="p50")
    axes.plot([each.p99_ms for each in results], names, "o", color=_MISSED, label="p99")
    axes.set(xscale="log", xlabel="ms, 8 connections")
    axes.invert_yaxis()
    axes.legend()


def _targets(axes: Axes, results: Results) -> None:
    names, shares = [], []
    for target in TARGETS:
        try:
            ratio = target.ratio(results)
        except Absent:
            continue
        names.append(f"{target.workload}\nagainst {target.against}")
        shares.append(target.bound / ratio if target.at_most else ratio / target.bound)
    axes.barh(names, shares, color=[_OURS if share >= 1 else _MISSED for share in shares])
    axes.axvline(1, color="#333333", linewidth=1)
    axes.set(xlabel="reached, as a multiple of the target")
    axes.tick_params(axis="y", labelsize=7)
    axes.invert_yaxis()


def _save(figure: Figure, to: Path) -> None:
    figure.savefig(to.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(to.with_suffix(".png"), dpi=110)
