"""Batches: their size, and how few calls it takes to name the instance that is refused."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from soapsvc.authoring.source import SourceError
from soapsvc.model.contract import InputField
from soapsvc.predict.instances import Instance
from soapsvc.predict.run import predict_all
from soapsvc.predict.service import Answer, Form, Refused, Row


class Doubler:
    """A service that doubles a number and refuses 13; it remembers the sizes of its calls."""

    form = Form((InputField("x", "scalar", "int64", "x", ()),), True, 100)

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def predict(self, rows: Sequence[Row]) -> list[Answer]:
        """Return each number twice as large."""
        self.sizes.append(len(rows))
        if any(row == [13] for row in rows):
            raise Refused("x: expected luck, received 13")
        return [{"twice": row[0] * 2} for row in rows]


def instances(*values: object) -> list[Instance]:
    return [Instance(f"row {number}", {"x": value}) for number, value in enumerate(values, start=1)]


def test_batches_are_of_the_size_given_and_told() -> None:
    service, told = Doubler(), list[int]()
    found = list(predict_all(service, instances(1, 2, 3, 4, 5), 2, False, told.append))
    assert [each.answer for each in found] == [{"twice": 2 * value} for value in (1, 2, 3, 4, 5)]
    assert service.sizes == told == [2, 2, 1]


def test_refused_instance_is_found_in_halves_and_the_others_answered() -> None:
    service = Doubler()
    found = list(predict_all(service, instances(*range(6, 14)), 8, True, lambda _: None))
    assert [each.error for each in found] == [""] * 7 + ["x: expected luck, received 13"]
    assert service.sizes == [8, 4, 4, 2, 2, 1, 1]


def test_instance_that_does_not_fit_is_never_sent() -> None:
    service = Doubler()
    found = list(predict_all(service, instances(1, "one", 3), 8, True, lambda _: None))
    assert [each.answer for each in found] == [{"twice": 2}, None, {"twice": 6}]
    assert found[1].error == "x: expected a whole number of at most 64 bits, received 'one'"
    assert service.sizes == [2]


def test_first_failure_in_order_ends_the_run() -> None:
    run = predict_all(Doubler(), instances(1, 13, "one"), 8, False, lambda _: None)
    assert next(run).answer == {"twice": 2}
    with pytest.raises(SourceError, match="row 2: x: expected luck, received 13"):
        next(run)
