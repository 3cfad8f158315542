"""Between a contract's values and a graph's tensors, both ways.

A row is one instance as a client sees it: one value for each input field, in the contract's order, None for an
optional one that was left out. Values by kind: scalar float, int, bool or str; text str; image bytes; vector a
one-dimensional array or list of str; tensor an array. An answer is one value for each output field likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

import numpy as np

from soapsvc.errors import InvalidInput
from soapsvc.model.answers import answer_of, answers_of
from soapsvc.model.contract import Contract, InputField
from soapsvc.model.conversation import Conversation
from soapsvc.model.dtypes import Array
from soapsvc.model.signature import Limits, Signature
from soapsvc.model.values import check_content, client_value, columns_tensor, instance_tensor, rows_tensor

T = TypeVar("T")
R = TypeVar("R")
Row = Sequence[Any]
Feeds = dict[str, Array]  # signature's input name -> array


class Binding:
    """Packs rows into feeds and unpacks outputs into answers, for one version of one model."""

    def __init__(
        self, contract: Contract, signature: Signature, limits: Limits, conversation: Conversation | None = None
    ) -> None:
        self._signature, self._limits, self._conversation = signature, limits, conversation
        self._outputs = contract.outputs
        by_tensor = groupby(enumerate(contract.inputs), key=lambda pair: pair[1].tensor)
        self._inputs: dict[str, list[tuple[int, InputField]]] = {name: list(pairs) for name, pairs in by_tensor}
        self._fields = [
            (name, [index for index, _ in pairs], [field for _, field in pairs]) for name, pairs in self._inputs.items()
        ]

    def pack(self, rows: Sequence[Row], of_batch: bool = False) -> list[tuple[int, Feeds]]:
        """Return the runs that answer the rows in order: how many rows each takes, and its feeds.

        One run takes all rows when their tensors can be stacked, else each row has its own. What a session feeds is
        that of a new one.
        Raises InvalidInput, its field beginning with `instances[i].` when the rows are of a batch.
        """
        if not rows:
            raise InvalidInput("empty", "instances", "at least 1 instance", "0")
        if len(rows) > self._limits.max_batch:
            raise InvalidInput("too-large", "instances", f"at most {self._limits.max_batch}", str(len(rows)))
        if len(rows) > 1 and (stacked := self._stacked(rows)) is not None:
            return [(len(rows), self._checked(len(rows), stacked))]
        tensors = each_row(self._tensors, rows, of_batch)
        if self._signature.batched and len(tensors) > 1 and _stackable(tensors):
            runs = [(len(rows), {name: np.stack([one[name] for one in tensors]) for name in tensors[0]})]
        elif self._signature.batched:
            runs = [(1, {name: value[np.newaxis] for name, value in one.items()}) for one in tensors]
        else:
            runs = [(1, one) for one in tensors]
        return each_row(lambda run: (run[0], self._checked(*run)), runs, of_batch)

    def _checked(self, count: int, feeds: Feeds) -> Feeds:
        """Return feeds that fit the signature, or say in the words of the contract, if it can, what does not."""
        if self._conversation is not None:
            feeds = feeds | self._conversation.feeds(self._conversation.start, count)
        try:
            self._signature.check_inputs(feeds, self._limits)
        except InvalidInput as err:
            fields = self._inputs.get(err.field, ())
            raise err.renamed(fields[0][1].element) if len(fields) == 1 else err from err
        return feeds

    def check_tensors(self, feeds: Mapping[str, Array]) -> None:
        """Raise InvalidInput unless tensors that came past the typed contract keep what it promises the graph."""
        self._signature.check_inputs(feeds, self._limits)
        for name, fields in self._inputs.items():
            if name in feeds:
                check_content(fields[0][1], name, feeds[name], self._limits)

    def unpack(self, outputs: Mapping[str, Array], count: int) -> list[tuple[Any, ...]]:
        """Return the answers of one run of `count` rows. outputs: output name -> array.

        Raises RuntimeError when a graph answers another number of rows than it was given.
        """
        if not self._signature.batched:
            return [tuple(answer_of(field, outputs) for field in self._outputs)]
        if any(len(outputs[member.tensor]) != count for field in self._outputs for member in field.flat()):
            raise RuntimeError(f"the graph answered another number of rows than the {count} it was given")
        return list(zip(*[answers_of(field, outputs, count) for field in self._outputs], strict=True))

    def row_of(self, feeds: Mapping[str, Array]) -> Row:
        """Return the first instance of some feeds as a client would send it: the way back from `pack`.

        A picture that the graph takes as numbers has no way back and comes as None.
        """
        row: dict[int, Any] = {}
        for name, fields in self._inputs.items():
            value = feeds.get(name)
            if value is not None and self._signature.batched:
                value = value[0]
            for index, field in fields:
                row[index] = None if value is None else client_value(field, value)
        return [row[index] for index in sorted(row)]

    def _stacked(self, rows: Sequence[Row]) -> Feeds | None:
        """Return the tensors of all rows at once, None where a row may be at fault or a kind takes them singly."""
        if not self._signature.batched:
            return None
        feeds = {}
        for name, places, fields in self._fields:
            whole = len(places) == len(rows[0])  # the row holds no other tensor's
            stacked = rows_tensor(fields, rows if whole else [[row[place] for place in places] for row in rows])
            if stacked is None:
                return None
            feeds[name] = stacked
        return feeds

    def _tensors(self, row: Row) -> Feeds:
        tensors = {}
        for name, places, fields in self._fields:
            if fields[0].column is not None:
                tensors[name] = columns_tensor(fields, [row[place] for place in places], self._limits)
            elif (value := row[places[0]]) is not None:
                tensors[name] = instance_tensor(fields[0], value, self._limits)
        return tensors


def each_row(do: Callable[[T], R], rows: Sequence[T], of_batch: bool) -> list[R]:
    """Return what `do` makes of each row; an InvalidInput that it raises names the row when they are of a batch."""
    made: list[R] = []
    try:
        for row in rows:
            made.append(do(row))
    except InvalidInput as err:
        raise (err.inside(f"instances[{len(made)}]") if of_batch else err) from err
    return made


def _stackable(tensors: Sequence[Feeds]) -> bool:
    shapes = {tuple((name, value.shape) for name, value in one.items()) for one in tensors}
    return len(shapes) == 1
