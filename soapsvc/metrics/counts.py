"""What the counters of calls stand at, of all workers: the numbers that `recent` compares from minute to minute."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.samples import Sample

from soapsvc.metrics.all_workers import FOLDER_VARIABLE, AllWorkers
from soapsvc.metrics.definitions import CALL_SECONDS, CALLS, STAGE_SECONDS, STEP_SECONDS, WAITING

Key = tuple[str, str, str, str]
Counts = dict[Key, float]
"""By kind, model and two more:

CALL, model, version, outcome: calls.
TIME, model, version, bound: calls that took so many seconds at most, +Inf for all.
WAIT, model, "", "": seconds that calls waited for a thread, altogether.
STEP, model, step, RUNS or SECONDS: of a pipeline.
"""
CALL, TIME, WAIT, STEP, RUNS, SECONDS = "call", "time", "wait", "step", "runs", "seconds"


def read_counts() -> tuple[Counts, int]:
    """Return the counts of this process, or of all workers, and how many calls wait for a thread now.

    Addresses that give a WSDL are left out: that is no call of a model.
    """
    counts: Counts = defaultdict(float)
    waiting = 0.0
    for sample in (sample for family in _families() for sample in family.samples):
        if sample.name == "soapsvc_waiting_calls":
            waiting += sample.value
        elif (key := _key(sample)) is not None:
            counts[key] += sample.value
    return dict(counts), int(waiting)


def _families() -> Iterable[Metric]:
    if FOLDER_VARIABLE in os.environ:
        families: Iterable[Metric] = AllWorkers(CollectorRegistry()).collect()
        return families
    return [family for metric in (CALLS, CALL_SECONDS, STAGE_SECONDS, STEP_SECONDS, WAITING)
            for family in metric.collect()]  # fmt: skip


def _key(sample: Sample) -> Key | None:
    labels = sample.labels
    if labels.get("operation") == "wsdl":
        return None
    match sample.name:
        case "soapsvc_calls_total":
            return CALL, labels["model"], labels["version"], labels["outcome"]
        case "soapsvc_call_seconds_bucket":
            return TIME, labels["model"], labels["version"], labels["le"]
        case "soapsvc_stage_seconds_sum" if labels["stage"] == "queue":
            return WAIT, labels["model"], "", ""
        case "soapsvc_step_seconds_sum":
            return STEP, labels["model"], labels["step"], SECONDS
        case "soapsvc_step_seconds_count":
            return STEP, labels["model"], labels["step"], RUNS
    return None
