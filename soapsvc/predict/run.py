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
    """Yield a batch's predictions; where the service refuses the batch, or a row can't be made, each by itself."""
    try:
        rows = [row_of(service.form, instance.values) for instance in chunk]
        answers = service.predict(rows)
    except (InvalidInput, Refused):
        for instance in chunk:
            yield _single(service, instance)
        return
    for instance, answer in zip(chunk, answers, strict=True):
        yield Prediction(instance.where, answer)


def _single(service: Service, instance: Instance) -> Prediction:
    try:
        row: Row = row_of(service.form, instance.values)
        (answer,) = service.predict([row])
    except (InvalidInput, Refused) as err:
        return Prediction(instance.where, error=str(err))
    return Prediction(instance.where, answer)
