"""Every metric: its name, labels and meaning; `docs/metrics.md` lists the same.

Each worker is a process that counts for itself; prometheus-client adds them up where the environment variable
PROMETHEUS_MULTIPROC_DIR names a folder of all, which has to be set before this module is imported.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from prometheus_client import Counter, Gauge
from prometheus_client import Histogram as OneByOne

CALL_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
STAGE_BUCKETS_S = (0.00005, 0.0001, 0.00025, *CALL_BUCKETS_S)
CALL_LABELS = ("model", "version", "operation")


class Histogram(OneByOne):
    """One that takes many observations at once: `observe` costs a call several times what counting it here does."""

    def observe_all(self, values: Iterable[float]) -> None:
        """Observe each value."""
        counts = [0] * len(self._buckets)
        total = 0.0
        for value in values:
            counts[bisect_left(self._upper_bounds, value)] += 1
            total += value
        self._sum.inc(total)
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)


CALLS = Counter(
    "soapsvc_calls",
    "Answered calls. outcome: ok, or the fault's name; Overloaded are those shed, DeadlineExceeded those too late.",
    (*CALL_LABELS, "outcome"),
)
CALL_SECONDS = Histogram(
    "soapsvc_call_seconds", "Time from a request's first byte to its answer.", CALL_LABELS, buckets=CALL_BUCKETS_S
)
STAGE_SECONDS = Histogram(
    "soapsvc_stage_seconds",
    "Time of one stage of a call: queue, parse, run (the graph, with the wait for its turn), serialise.",
    ("model", "stage"),
    buckets=STAGE_BUCKETS_S,
)
STEP_SECONDS = Histogram(
    "soapsvc_step_seconds", "Time of one step of a pipeline.", ("model", "step"), buckets=STAGE_BUCKETS_S
)
RECEIVED_BYTES = Counter("soapsvc_received_bytes", "Bytes of the requests' HTTP bodies, as they came.", ("model",))
SENT_BYTES = Counter("soapsvc_sent_bytes", "Bytes of the answers' HTTP bodies, as they are sent.", ("model",))
UNPACKED_BYTES = Counter(
    "soapsvc_unpacked_sent_bytes", "Bytes of the answers before compression; the same as sent without it.", ("model",)
)
REFUSED = Counter(
    "soapsvc_refused_requests",
    "Requests that were refused before they were calls: 408 too slow, 413 too large, 503 no room, others malformed.",
    ("status",),
)
WAITING = Gauge("soapsvc_waiting_calls", "Calls that wait for a thread.", multiprocess_mode="livesum")
STATE = Gauge(
    "soapsvc_model_state",
    "Workers in which a version is in a state: START, LOADING, AVAILABLE, UNAVAILABLE, UNLOADING or END.",
    ("model", "version", "state"),
    multiprocess_mode="livesum",
)
LOAD_SECONDS = Gauge(
    "soapsvc_model_load_seconds",
    "Time that a version took to load, in the slowest worker.",
    ("model", "version"),
    multiprocess_mode="livemax",
)
MEMORY_BYTES = Gauge(
    "soapsvc_memory_bytes",
    "Resident memory of the processes, what they share counted in each; Linux only.",
    multiprocess_mode="livesum",
)
MODEL_BYTES = Gauge(
    "soapsvc_model_bytes",
    "What is known of the memory of a version, in the worker with most: graph_file, the size of its file; "
    "mapped_constants, of them what all workers hold once; load_growth, by how much the process grew as it was loaded, "
    "all else that went on included.",
    ("model", "version", "kind"),
    multiprocess_mode="livemax",
)
SESSIONS = Gauge("soapsvc_sessions", "Conversations that are kept, of all workers.", multiprocess_mode="livemostrecent")
SESSION_BYTES = Gauge(
    "soapsvc_session_bytes", "Bytes that these conversations hold.", multiprocess_mode="livemostrecent"
)
TURNS = Counter(
    "soapsvc_session_turns",
    "Calls in conversations. state: started, continued, expired (its session was gone), reset (its model had changed).",
    ("state",),
)
GONE = Counter(
    "soapsvc_gone_sessions",
    "Conversations that were let go. reason: expired, nobody used it for too long; evicted, there was no room.",
    ("reason",),
)
RESTARTS = Counter("soapsvc_worker_restarts", "Workers that ended and were started anew.", ("worker",))
ALL = (
    CALLS, CALL_SECONDS, STAGE_SECONDS, STEP_SECONDS, RECEIVED_BYTES, SENT_BYTES, UNPACKED_BYTES, REFUSED, WAITING,
    SESSIONS, SESSION_BYTES, TURNS, GONE, STATE, LOAD_SECONDS, MODEL_BYTES, MEMORY_BYTES, RESTARTS,
)  # fmt: skip
