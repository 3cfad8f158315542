"""Calls that come at the same time are joined into one run, and each gets the answer that it would get alone.

Threads are real; a graph that waits where the test says keeps runs apart without a clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from soapsvc.engine.batching import BatchingEngine
from soapsvc.engine.deadline import Deadline
from soapsvc.engine.local import LocalEngine
from soapsvc.errors import DeadlineExceeded, InvalidInput
from soapsvc.model.dtypes import Array
from soapsvc.model.loader import load
from soapsvc.model.servable import Batching, Graph, Servable
from soapsvc.model.signature import Limits, Signature, TensorSpec
from soapsvc.model.source import version_folder
from tests.conftest import ROOT

LONG_US = 30_000_000  # longer than any step of these tests takes
SIGNATURE = Signature(
    {"x": TensorSpec("x", "x:0", "float32", ("batch", None))}, {"y": TensorSpec("y", "y:0", "float32", ("batch", None))}
)
PLAIN = Signature({"x": TensorSpec("x", "x:0", "float32", (2,))}, {"y": TensorSpec("y", "y:0", "float32", (2,))})


class GateGraph:
    """Doubles its input. A run whose first value is negative is refused; the first run waits until the gate opens."""

    def __init__(self) -> None:
        self.runs: list[list[Any]] = []
        self.gate, self.entered = threading.Event(), threading.Event()

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        first = not self.runs
        self.runs.append(feeds["x:0"].tolist())
        if first:
            self.entered.set()
            assert self.gate.wait(60)
        if (feeds["x:0"] < 0).any():
            raise InvalidInput("refused-by-model", "input", "a value the model can work on", "one it can't")
        if (feeds["x:0"] > 1000).any():
            raise RuntimeError("too much for the graph")
        return [feeds["x:0"] * 2]

    def close(self) -> None:
        """Hold nothing."""


def servable_of(graph: Graph, batching: Batching | None, signature: Signature = SIGNATURE) -> Servable:
    unused: Any = None
    return Servable(
        "gate", 1, "", {"predict": signature}, "predict", unused, unused, Limits(), graph, batching=batching
    )


class Crowd:
    """Calls in threads of their own, the first inside the graph until it is let go."""

    def __init__(self, batching: Batching | None, signature: Signature = SIGNATURE) -> None:
        self.graph = GateGraph()
        self.engine = BatchingEngine(LocalEngine())
        self.servable, self.signature = servable_of(self.graph, batching, signature), signature
        self.threads = ThreadPoolExecutor(40)
        self.first = self.call([[0.0]] if signature.batched else [0.0, 0.0])
        assert self.graph.entered.wait(60)

    def call(self, x: Any, deadline: Deadline | None = None) -> Future[Any]:
        feeds = {"x": np.float32(x)}
        return self.threads.submit(
            lambda: self.engine.predict(self.servable, self.signature, feeds, deadline)["y"].tolist()
        )

    def wait_for_rows(self, rows: int) -> None:
        """Wait until so many rows stand in open batches."""
        end = time.monotonic() + 60
        while sum(batch.rows for batch in list(self.engine._open.values())) != rows:
            assert time.monotonic() < end
            time.sleep(0.001)

    def let_go(self) -> None:
        self.graph.gate.set()


@pytest.fixture
def crowd() -> Iterator[Callable[..., Crowd]]:
    made: list[Crowd] = []

    def make(batching: Batching | None, signature: Signature = SIGNATURE) -> Crowd:
        made.append(Crowd(batching, signature))
        return made[-1]

    yield make
    for each in made:
        each.let_go()
        each.threads.shutdown()


def test_calls_that_come_during_a_run_are_joined_and_split_in_order(crowd: Callable[..., Crowd]) -> None:
    calls = crowd(Batching(32, LONG_US))
    answers = []
    for number in range(1, 6):
        answers.append(calls.call([[number]] * (number % 3 + 1)))
        calls.wait_for_rows(sum(one % 3 + 1 for one in range(1, number + 1)))
    calls.let_go()
    assert [answer.result(60) for answer in answers] == [[[2.0 * n]] * (n % 3 + 1) for n in range(1, 6)]
    assert calls.graph.runs == [[[0.0]], [[float(n)] for n in range(1, 6) for _ in range(n % 3 + 1)]]


def test_run_that_is_full_does_not_wait(crowd: Callable[..., Crowd]) -> None:
    calls = crowd(Batching(4, LONG_US))
    assert [each.result(60) for each in [calls.call([[n]] * 2) for n in (1, 2)]] == [[[2.0]] * 2, [[4.0]] * 2]
    assert len(calls.graph.runs) == 2, "the first is still inside the graph"


def test_call_that_does_not_fit_opens_the_next_run(crowd: Callable[..., Crowd]) -> None:
    calls = crowd(Batching(4, LONG_US))
    three = calls.call([[3]] * 3)
    calls.wait_for_rows(3)
    two = calls.call([[2]] * 2)
    assert three.result(60) == [[6.0]] * 3
    calls.let_go()
    assert two.result(60) == [[4.0]] * 2
    assert sorted(map(len, calls.graph.runs)) == [1, 2, 3]


def test_call_of_the_largest_size_runs_by_itself(crowd: Callable[..., Crowd]) -> None:
    calls = crowd(Batching(4, LONG_US))
    assert calls.call([[1]] * 5).result(60) == [[2.0]] * 5
    assert calls.call([[1]] * 4).result(60) == [[2.0]] * 4


def test_calls_of_other_inner_shapes_are_not_joined(crowd: Callable[..., Crowd]) -> None:
    calls = crowd(Batching(4, LONG_US))
    narrow = [calls.call([[1]]), calls.call([[2]])]
    calls.wait_for_rows(2)
    wide = calls.call([[3, 4]])
    assert wide.result(60) == [[6.0, 8.0]], "no other call of its shape runs: it waits for none"
    calls.let_go()
    assert [each.result(60) for each in narrow] == [[[2.0]], [[4.0]]]


@pytest.mark.parametrize(("bad", "error"), [(-1, InvalidInput), (2000, RuntimeError)])
def test_error_of_one_call_is_its_own(crowd: Callable[..., Crowd], bad: float, error: type[Exception]) -> None:
    calls = crowd(Batching(32, LONG_US))
    answers = [calls.call([[n]]) for n in (1, bad, 3)]
    calls.wait_for_rows(3)
    calls.let_go()
    assert [answers[0].result(60), answers[2].result(60)] == [[[2.0]], [[6.0]]]
    with pytest.raises(error):
        answers[1].result(60)
    assert sorted(map(len, calls.graph.runs)) == [1, 1, 1, 1, 3]


def test_deadline_of_one_call_leaves_the_others_their_answers(crowd: Callable[..., Crowd]) -> None:
    calls = crowd(Batching(32, LONG_US))
    patient = calls.call([[1]], Deadline(60, time.monotonic() + 60))
    calls.wait_for_rows(1)
    hasty = calls.call([[2]], Deadline(0.05, time.monotonic() + 0.05))
    with pytest.raises(DeadlineExceeded):
        hasty.result(60)
    calls.let_go()
    assert patient.result(60) == [[2.0]]


def test_leader_with_a_deadline_leaves_and_the_others_are_answered(crowd: Callable[..., Crowd]) -> None:
    calls = crowd(Batching(32, LONG_US))
    calls.servable = replace(calls.servable, limits=Limits(max_concurrent_calls=1))
    hasty = calls.call([[1]], Deadline(0.05, time.monotonic() + 0.05))
    with pytest.raises(DeadlineExceeded):
        hasty.result(60)
    calls.let_go()
    assert calls.call([[3]]).result(60) == [[6.0]]


def test_call_does_not_wait_for_a_slow_run_longer_than_it_may(crowd: Callable[..., Crowd]) -> None:
    calls = crowd(Batching(32, 1000))
    assert calls.call([[1]]).result(60) == [[2.0]]
    assert not calls.first.done(), "the first run is still under way"


def test_call_that_finds_nobody_runs_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = GateGraph()
    graph.gate.set()
    engine = BatchingEngine(LocalEngine())
    servable = servable_of(graph, Batching(32, LONG_US))
    monkeypatch.setattr(engine._changed, "wait", lambda timeout: pytest.fail("it waits for others"))
    for n in range(20):
        assert engine.predict(servable, SIGNATURE, {"x": np.float32([[n]])})["y"].tolist() == [[2.0 * n]]
    assert not engine._open
    assert not engine._running


@pytest.mark.parametrize(("batching", "signature"), [(None, SIGNATURE), (Batching(32, LONG_US), PLAIN)])
def test_model_that_is_not_batched_runs_each_call_by_itself(
    crowd: Callable[..., Crowd], batching: Batching | None, signature: Signature
) -> None:
    calls = crowd(batching, signature)
    x = [[1.0, 2.0]] if signature.batched else [1.0, 2.0]
    assert np.float32(calls.call(x).result(60)).ravel().tolist() == [2.0, 4.0]


def iris_rows() -> Array:
    from sklearn.datasets import load_iris

    return np.asarray(load_iris().data, np.float32)


def digits_rows() -> Array:
    from io import BytesIO

    from PIL import Image
    from sklearn.datasets import load_digits

    pictures = []
    for pixels in load_digits().images[:60]:
        file = BytesIO()
        Image.fromarray((255 - pixels * 15).astype(np.uint8)).resize((28, 28)).save(file, "PNG")
        pictures.append(file.getvalue())
    return np.array(pictures, dtype=object)


@pytest.mark.parametrize(("name", "rows"), [("iris", iris_rows), ("digits", digits_rows)])
def test_joined_answers_are_those_of_single_runs(name: str, rows: Callable[[], Array]) -> None:
    """Within 1e-6: a matrix product of several rows may add up in another order than that of one."""
    servable = load(version_folder(ROOT / "models" / name / "1"))
    signature = servable.find_signature(None)
    (tensor,), values = signature.inputs, rows()
    alone = [servable.run(signature, {tensor: values[[n]]})["probabilities"] for n in range(len(values))]
    engine, batching = BatchingEngine(LocalEngine()), replace(servable, batching=Batching(16, 2000))
    with ThreadPoolExecutor(24) as threads:
        joined = list(
            threads.map(
                lambda n: engine.predict(batching, signature, {tensor: values[[n]]})["probabilities"],
                range(len(values)),
            )
        )
    servable.graph.close()
    assert [each.shape for each in joined] == [each.shape for each in alone]
    np.testing.assert_allclose(np.concatenate(joined), np.concatenate(alone), rtol=0, atol=1e-6)
