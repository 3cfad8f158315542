"""The default engine: predictions run in this process, in the caller's thread unless the call has a deadline."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone

from soapsvc.engine.deadline import Deadline
from soapsvc.errors import DeadlineExceeded, Overloaded
from soapsvc.model.dtypes import Array
from soapsvc.model.servable import Servable
from soapsvc.model.signature import Signature

RETRY_AFTER_S = 1
_MOST_THREADS = 256  # of runs with a deadline; each model's own limit comes first


class LocalEngine:
    """Runs the servable's own graph, no more runs of a model at a time than its limits allow."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the count
        self._running: Counter[str] = Counter()
        self._pool = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="deadline")

    def predict(
        self, servable: Servable, signature: Signature, inputs: Mapping[str, Array], deadline: Deadline | None = None
    ) -> dict[str, Array]:
        """Return the outputs by name; see `Engine`.

        A graph can't be stopped. A run that misses its deadline goes on in its thread and counts as running until it
        ends; its result is dropped.
        """
        if deadline is None:
            self._begin(servable)
            try:
                return servable.run(signature, inputs)
            finally:
                self._end(servable)
        deadline.check()
        self._begin(servable)
        future = self._pool.submit(servable.run, signature, inputs)
        future.add_done_callback(lambda _: self._end(servable))
        try:
            return future.result(deadline.remaining_s)
        except NotDone:
            raise DeadlineExceeded(deadline.seconds) from None

    def _begin(self, servable: Servable) -> None:
        limit = servable.limits.max_concurrent_calls
        with self._lock:
            if limit is not None and self._running[servable.name] >= limit:
                raise Overloaded(f"{servable.name} runs {limit} calls already, its most", RETRY_AFTER_S)
            self._running[servable.name] += 1

    def _end(self, servable: Servable) -> None:
        with self._lock:
            self._running[servable.name] -= 1
