"""Calls counted one by one and all at once come to the same."""

from __future__ import annotations

import random

from prometheus_client import REGISTRY

from soapsvc.answered import Answered
from soapsvc.metrics.calls import count
from soapsvc.metrics.definitions import CALL_BUCKETS_S, Histogram

CALL = Answered(
    "7f00", "::1", "counted", 3, "predict", "ok", None, began=5.0, ended=6.5, at=0.0, taken_s=1.5, received=100,
    sent=10, unpacked=40, stages={"run": (5.5, 0.25), "parse": (5.0, 0.5)}, steps={"find": (5.5, 0.125)},
)  # fmt: skip


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_calls_are_counted_by_outcome_with_bytes_and_stages() -> None:
    refused = CALL._replace(outcome="InvalidInput", stages={}, steps={}, received=1, sent=2, unpacked=2)
    count([CALL, CALL, CALL, refused])
    called = {"model": "counted", "version": "3", "operation": "predict"}
    assert value("soapsvc_calls_total", **called, outcome="ok") == 3
    assert value("soapsvc_calls_total", **called, outcome="InvalidInput") == 1
    assert value("soapsvc_call_seconds_count", **called) == 4
    assert value("soapsvc_call_seconds_sum", **called) == 6
    assert value("soapsvc_received_bytes_total", model="counted") == 301
    assert value("soapsvc_sent_bytes_total", model="counted") == 32
    assert value("soapsvc_unpacked_sent_bytes_total", model="counted") == 122
    assert value("soapsvc_stage_seconds_sum", model="counted", stage="parse") == 1.5
    assert value("soapsvc_step_seconds_sum", model="counted", step="find") == 0.375
    assert value("soapsvc_stage_seconds_bucket", model="counted", stage="run", le="0.25") == 3


def test_many_observations_at_once_are_those_one_by_one() -> None:
    draw = random.Random(4)
    values = [draw.choice([*CALL_BUCKETS_S, draw.uniform(0, 70)]) for _ in range(500)]
    together = Histogram("together", "", buckets=CALL_BUCKETS_S, registry=None)
    singly = Histogram("together", "", buckets=CALL_BUCKETS_S, registry=None)
    together.observe_all(values)
    for each in values:
        singly.observe(each)
    counts = [[(sample.name, sample.labels, round(sample.value, 6)) for sample in histogram.collect()[0].samples
               if not sample.name.endswith("_created")] for histogram in (together, singly)]  # fmt: skip
    assert counts[0] == counts[1]
