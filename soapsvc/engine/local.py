"""The default engine: predictions run in this process, in the caller's thread unless the call has a deadline."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone

from soapsvc.engine.deadline import Deadline
from soapsvc.errors import DeadlineExceeded
from soapsvc.model.dtypes import Array
from soapsvc.model.servable import Servable
from soapsvc.model.signature import Signature

_MOST_THREADS = 256  # of runs with a deadline; each model's own limit comes first


class LocalEngine:
    """Runs the servable's own graph, no more runs of a model at a time than its limits allow."""

    def __init__(self) -> None:
        self._changed = threading.Condition()  # guards the count; notified when a run ends
        self._running: Counter[str] = Counter()
        self._pool = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="deadline")

    def predict(
        self, servable: Servable, signature: Signature, inputs: Mapping[str, Array], deadline: Deadline | None = None
    ) -> dict[str, Array]:
        """Return the outputs by name; see `Engine`.

        A graph can't be stopped. A run that misses its deadline goes on in its thread and counts as running until it
        ends; its result is dropped.
        """
        self._begin(servable, deadline)
        if deadline is None:
            try:
                return servable.run(signature, inputs)
            finally:
                self._end(servable)
        future = self._pool.submit(servable.run, signature, inputs)
        future.add_done_callback(lambda _: self._end(servable))
        try:
            return future.result(deadline.remaining_s)
        except NotDone:
            raise DeadlineExceeded(deadline.seconds) from None

    def _begin(self, servable: Servable, deadline: Deadline | None) -> None:
        """Wait until the model may run one more call. Raises DeadlineExceeded."""
        limit, name = servable.limits.max_concurrent_calls, servable.name
        with self._changed:
            while limit is not None and self._running[name] >= limit:
                if not self._changed.wait(None if deadline is None else deadline.remaining_s):
                    break
            if deadline is not None:
                deadline.check()
            self._running[name] += 1

    def _end(self, servable: Servable) -> None:
        with self._changed:
            self._running[servable.name] -= 1
            self._changed.notify_all()  # whatever this version's limit is: those that wait may be of one with another
