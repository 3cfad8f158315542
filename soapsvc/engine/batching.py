"""Joins concurrent calls of one model into one run along the batch dimension, and splits its answers again.

A call that finds no other of its kind under way runs at once. One that does gathers those that come meanwhile, until
the others end, the run is full, or the model's longest wait is over; then it runs them all.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from dataclasses import dataclass, field

import numpy as np

from soapsvc.engine import Engine
from soapsvc.engine.deadline import Deadline
from soapsvc.errors import DeadlineExceeded
from soapsvc.model.dtypes import Array
from soapsvc.model.servable import Batching, Servable
from soapsvc.model.signature import Signature

log = logging.getLogger(__name__)
_MOST_THREADS = 256  # of joined runs with a deadline; each model's own limit comes first
_Key = tuple[int, int, tuple[tuple[str, str, tuple[int, ...]], ...]]  # servable, signature, its tensors' inner shapes


@dataclass
class _Batch:
    """Calls that run together, in the order in which they came. answers: None where each has to run by itself."""

    servable: Servable
    signature: Signature
    calls: list[tuple[Mapping[str, Array], Deadline | None]] = field(default_factory=list)
    rows: int = 0
    answers: Future[dict[str, Array] | None] = field(default_factory=Future)

    def add(self, inputs: Mapping[str, Array], rows: int, deadline: Deadline | None) -> slice:
        """Take a call in and return which rows of the answers are its own."""
        self.calls.append((inputs, deadline))
        self.rows += rows
        return slice(self.rows - rows, self.rows)

    @property
    def deadline(self) -> Deadline | None:
        """The deadline of the call that waits longest, None when one waits as long as it takes."""
        given = [deadline for _, deadline in self.calls]
        limits = [each for each in given if each is not None]
        return max(limits, key=lambda each: each.at) if len(limits) == len(given) else None


class BatchingEngine:
    """An `Engine` before another: joins the calls of models whose manifest asks for it, hands on all others."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._changed = threading.Condition()  # guards the two below; notified when a run ends or a batch closes
        self._open: dict[_Key, _Batch] = {}  # batches that still take calls
        self._running: Counter[_Key] = Counter()
        self._pool = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="batch")

    def predict(
        self, servable: Servable, signature: Signature, inputs: Mapping[str, Array], deadline: Deadline | None = None
    ) -> dict[str, Array]:
        """Return the outputs by name; see `Engine`. Answers are those of a run alone, but for rounding."""
        batching = servable.batching
        rows = len(next(iter(inputs.values()))) if batching and signature.batched and inputs else 0
        if batching is None or not 0 < rows < batching.max_size:
            return self._engine.predict(servable, signature, inputs, deadline)
        key = _key(servable, signature, inputs)
        with self._changed:
            batch, own = self._join(key, servable, signature, inputs, rows, deadline, batching.max_size)
        if own.start == 0:
            self._gather(key, batch, batching, deadline)
            if len(batch.calls) == 1:
                try:
                    return self._engine.predict(servable, signature, inputs, deadline)
                finally:
                    self._end(key)
            self._start(key, batch)
        try:
            answers = batch.answers.result(None if deadline is None else deadline.remaining_s)
        except NotDone:
            assert deadline is not None
            raise DeadlineExceeded(deadline.seconds) from None
        if answers is None:
            return self._engine.predict(servable, signature, inputs, deadline)
        return {name: value[own] for name, value in answers.items()}

    def _join(
        self, key: _Key, servable: Servable, signature: Signature, inputs: Mapping[str, Array], rows: int,
        deadline: Deadline | None, max_size: int,
    ) -> tuple[_Batch, slice]:  # fmt: skip
        """Return the batch that a call goes into, and its rows there; the first call leads. The lock is held."""
        batch = self._open.get(key)
        if batch is not None and batch.rows + rows > max_size:
            self._close(key)
            batch = None
        if batch is None:
            batch = self._open[key] = _Batch(servable, signature)
        own = batch.add(inputs, rows, deadline)
        if batch.rows == max_size:
            self._close(key)
        return batch, own

    def _close(self, key: _Key) -> None:
        """Take no more calls into a batch. The lock is held."""
        del self._open[key]
        self._changed.notify_all()

    def _gather(self, key: _Key, batch: _Batch, batching: Batching, deadline: Deadline | None) -> None:
        """Wait for others to join, while any of their kind run; then count the batch as running."""
        waits = [batching.max_wait_us / 1e6, *([] if deadline is None else [deadline.remaining_s])]
        with self._changed:
            self._changed.wait_for(lambda: self._open.get(key) is not batch or not self._running[key], min(waits))
            if self._open.get(key) is batch:
                self._close(key)
            self._running[key] += 1

    def _end(self, key: _Key) -> None:
        with self._changed:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]
            self._changed.notify_all()

    def _start(self, key: _Key, batch: _Batch) -> None:
        """Run a batch: here, or in another thread where a call has a deadline and may leave before the end."""
        if all(deadline is None for _, deadline in batch.calls):
            self._run(key, batch)
        else:
            self._pool.submit(self._run, key, batch)

    def _run(self, key: _Key, batch: _Batch) -> None:
        """Run a batch and settle its answers, whatever happens."""
        answers = None
        try:
            answers = self._joined(batch)
        except Exception as err:  # one call's fault, or one that only a joined run has: each finds out by itself
            log.info("%s: a joined run failed, its calls run alone: %s", batch.servable.name, err.__class__.__name__)
        finally:
            self._end(key)
            batch.answers.set_result(answers)

    def _joined(self, batch: _Batch) -> dict[str, Array]:
        calls = [inputs for inputs, _ in batch.calls]
        inputs = {name: np.concatenate([call[name] for call in calls]) for name in calls[0]}
        answers = self._engine.predict(batch.servable, batch.signature, inputs, batch.deadline)
        if any(len(value) != batch.rows for value in answers.values()):
            raise RuntimeError(f"the graph answered another number of rows than the {batch.rows} it was given")
        return answers


def _key(servable: Servable, signature: Signature, inputs: Mapping[str, Array]) -> _Key:
    """Return what calls have in common that can be joined."""
    tensors = sorted((name, value.dtype.str, value.shape[1:]) for name, value in inputs.items())
    return id(servable), id(signature), tuple(tensors)
