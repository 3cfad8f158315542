"""Predicts for many instances: in batches, naming the one that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from soapsvc.authoring.source import SourceError
from soapsvc.errors import InvalidInput
from soapsvc.predict.instances import Instance
from soapsvc.predict.service import Answer, Refused, Row, Service
from soapsvc.predict.values import row_of


@dataclass(frozen=True)
class Prediction:
    """What came of one instance: an answer, or the reason why there is none."""

    where: str
    answer: Answer | None = None
    error: str = ""


def predict_all(
    service: Service, instances: Iterable[Instance], batch: int, keep_going: bool, done: Callable[[int], None]
) -> Iterator[Prediction]:
    """Yield a prediction for each instance, in order. Raises SourceError at the first that fails, unless keep_going.

    done: told after each batch how many instances it had.
    """
    waiting = iter(instances)
    while chunk := list(islice(waiting, batch)):
        for prediction in _predictions(service, chunk):
            if prediction.error and not keep_going:
                raise SourceError(f"{prediction.where}: {prediction.error}")
            yield prediction
        done(len(chunk))


def _predictions(service: Service, chunk: Sequence[Instance]) -> Iterator[Prediction]:
    """Yield a batch's predictions. Only instances that fit the form go to the service."""
    rows: list[Row] = []
    unfit: dict[int, str] = {}
    for index, instance in enumerate(chunk):
        try:
            rows.append(row_of(service.form, instance.values))
        except InvalidInput as err:
            unfit[index] = str(err)
    answers = iter(_answers(service, rows))
    for index, instance in enumerate(chunk):
        answer = unfit[index] if index in unfit else next(answers)
        if isinstance(answer, str):
            yield Prediction(instance.where, error=answer)
        else:
            yield Prediction(instance.where, answer)


def _answers(service: Service, rows: Sequence[Row]) -> list[Answer | str]:
    """Return each row's answer, or the fault's message; a batch that is refused is halved until the row is found."""
    if not rows:
        return []
    try:
        return [*service.predict(rows)]
    except Refused as err:
        if len(rows) == 1:
            return [str(err)]
    half = len(rows) // 2
    return _answers(service, rows[:half]) + _answers(service, rows[half:])
