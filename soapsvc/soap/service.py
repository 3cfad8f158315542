"""The typed service of one model: a Spyne ServiceBase made from its contract.

Operations take the rows that the protocol has read and answer with plain values in the order of the contract's
types; see `reader` and `writer`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
from spyne import Int, Long, MethodContext, ServiceBase, Unicode, rpc

from soapsvc.answered import Timed
from soapsvc.engine import Engine
from soapsvc.engine.deadline import Deadline, earliest
from soapsvc.errors import InvalidInput
from soapsvc.model.binding import Row, each_row
from soapsvc.model.contract import Contract, InputField, OutputField
from soapsvc.model.dtypes import Array
from soapsvc.model.manager import ModelManager
from soapsvc.model.servable import Servable
from soapsvc.model.signature import Signature
from soapsvc.session.sessions import Sessions, SessionState
from soapsvc.soap.call import Call
from soapsvc.soap.ns import ContractNames
from soapsvc.soap.tensors import tensor_record, tensor_value
from soapsvc.soap.text import numbers
from soapsvc.soap.types import Type, Types, in_message, optional, required

_MANY = 8  # answers: from so many on it pays to write their numbers at once


def operation(
    function: Callable[..., Any],
    doc: str,
    parameters: Sequence[tuple[str, Type]],
    returns: Type,
    faults: Sequence[Type],
) -> Any:
    """Return function as an operation with named, typed parameters."""
    function.__doc__ = doc
    names = [name for name, _ in parameters]
    types = [in_message(kind) for _, kind in parameters]
    return rpc(*types, _args=names, _returns=in_message(required(returns)), _throws=list(faults))(function)


def service_class(names: ContractNames, operations: Mapping[str, Any]) -> type[ServiceBase]:
    """Return the ServiceBase that holds these operations, by their names on the wire."""
    made: type[ServiceBase] = type(ServiceBase)(names.service, (ServiceBase,), dict(operations))
    return made


def summary(contract: Contract) -> str:
    """Return what a model does, as the WSDL tells it: the description's first sentence.

    What comes after may be true of one version only, as its accuracy, and must not stand in a contract.
    """
    first = re.match(r".*?[.!?](?=\s|$)", contract.description, re.DOTALL)
    text = " ".join((first[0] if first else contract.description).split())
    return text or f"Predicts with the model {contract.model}."


def typed_service(contract: Contract, manager: ModelManager, engine: Engine, sessions: Sessions) -> type[ServiceBase]:
    """Return the service class of a contract: predict, predictBatch, getModelInfo, and reply if the model converses."""
    names = ContractNames(contract.model, contract.version)
    types = Types(names.namespace)
    predictor = _Predictor(contract, manager, engine, sessions)
    prediction, instance = types.prediction(contract), types.instance(contract)
    faults = types.faults()

    def predict(ctx: MethodContext, *row: Any) -> Any:
        return predictor.predict(ctx.udc, [row], of_batch=False)[0]

    def predict_batch(ctx: MethodContext, instances: Sequence[Row]) -> Any:
        return predictor.predict(ctx.udc, instances, of_batch=True)

    def model_info(ctx: MethodContext) -> Any:
        return predictor.info(ctx.udc)

    def reply(ctx: MethodContext, session_id: str | None, *row: Any) -> Any:
        return predictor.reply(ctx.udc, session_id, row)

    inputs = [(field.element, types.input_type(field)) for field in contract.inputs]
    operations = {
        "predict": operation(predict, summary(contract), inputs, prediction, faults),
        "predictBatch": operation(
            predict_batch, "Predict for many instances in one call; the answers come in their order.",
            [("instances", required(types.array(instance)))], types.array(prediction), faults,
        ),
        "getModelInfo": operation(
            model_info, "Tell which version of the model answers, and its limits.", [], _info_type(types), faults
        ),
    }  # fmt: skip
    if contract.converses:
        session_id = ("sessionId", optional(Unicode, "As the last answer gave it; absent in the first call."))
        answer = types.answer(contract, [state.value for state in SessionState])
        operations["reply"] = operation(reply, "Answer in a conversation.", [session_id, *inputs], answer, faults)
    return service_class(names, operations)


def _info_type(types: Types) -> Type:
    return types.record(
        "ModelInfo",
        [
            ("name", required(Unicode)),
            ("description", required(Unicode)),
            ("modelVersion", required(Long, "Version of the model that answers.")),
            ("contractVersion", required(Int, "Major version of this contract.")),
            ("maxBatch", required(Int, "The most instances that predictBatch takes.")),
        ],
    )


class _Predictor:
    """Runs rows through the model's current, pinned or labelled version."""

    def __init__(self, contract: Contract, manager: ModelManager, engine: Engine, sessions: Sessions) -> None:
        self._model, self._contract, self._manager, self._engine = contract.model, contract.version, manager, engine
        self._sessions = sessions

    def predict(self, call: Call, rows: Sequence[Row], of_batch: bool) -> list[tuple[Any, ...]]:
        """Return a Prediction for each row. Raises ServingError, naming the row when they are of a batch."""
        with self._handle(call) as servable:
            call.version, call.steps = servable.version, servable.step_times
            deadline = earliest(call.began, call.deadline_s, servable.limits.deadline_s)
            answers = self._answers(servable, rows, of_batch, deadline, call.stages)
            return _wire_rows(servable, rows, answers)

    def reply(self, call: Call, session_id: str | None, row: Row) -> tuple[Any, ...]:
        """Return an Answer. What the session holds changes only if the call succeeds. Raises ServingError."""
        with self._handle(call) as servable:
            call.version = servable.version
            deadline = earliest(call.began, call.deadline_s, servable.limits.deadline_s)
            conversation = servable.conversation
            assert conversation is not None
            ((_, feeds),) = servable.binding.pack([_model_row(servable.contract.inputs, row)])
            with self._sessions.turn(self._model, session_id, call.credentials, conversation, deadline) as turn:
                fed = feeds | conversation.feeds(turn.memory)
                outputs = self._predict(servable, servable.find_signature(None), fed, deadline, call.stages)
                answer = conversation.filled(row, servable.binding.unpack(outputs, 1)[0], datetime.now())
                turn.finish(conversation.after(turn.memory, outputs, row, answer))
            (values,) = _wire_rows(servable, [row], [answer])
            return (turn.session_id, turn.state.value, *values)

    def _handle(self, call: Call) -> AbstractContextManager[Servable]:
        return self._manager.handle(self._model, call.pin.version, call.pin.label, self._contract)

    def _answers(
        self, servable: Servable, rows: Sequence[Row], of_batch: bool, deadline: Deadline | None,
        stages: dict[str, Timed],
    ) -> list[tuple[Any, ...]]:  # fmt: skip
        signature = servable.find_signature(None)
        answers: list[tuple[Any, ...]] = []
        if servable.contract.tensor_inputs:
            rows = each_row(partial(_model_row, servable.contract.inputs), rows, of_batch)
        for count, feeds in servable.binding.pack(rows, of_batch):
            outputs = self._predict(servable, signature, feeds, deadline, stages)
            answers.extend(servable.binding.unpack(outputs, count))
        if servable.conversation is None:
            return answers
        fill = partial(servable.conversation.filled, now=datetime.now())
        return list(map(fill, rows, answers))

    def _predict(
        self, servable: Servable, signature: Signature, feeds: Mapping[str, Array], deadline: Deadline | None,
        stages: dict[str, Timed],
    ) -> dict[str, Array]:  # fmt: skip
        """Run the graph; a value that it refuses can only be the one input, where there is only one."""
        began = time.monotonic()
        try:
            return self._engine.predict(servable, signature, feeds, deadline)
        except InvalidInput as err:
            inputs = servable.contract.inputs
            raise err.renamed(inputs[0].element) if len(inputs) == 1 else err from err
        finally:
            first, seconds = stages.get("run") or (began, 0.0)
            stages["run"] = first, seconds + time.monotonic() - began

    def info(self, call: Call) -> tuple[Any, ...]:
        """Return a ModelInfo. Raises ModelNotFound."""
        with self._handle(call) as servable:
            call.version = servable.version
            contract_version = servable.contract.version
            limit = servable.limits.max_batch
            return (servable.name, servable.description, servable.version, contract_version, limit)


def _wire_rows(servable: Servable, rows: Sequence[Row], answers: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return answers as a writer takes them, each with the version at its end."""
    as_content = _came_as_content(servable.contract.tensor_inputs, rows)
    columns = [
        _wire_values(field, values, as_content)
        for field, values in zip(servable.contract.outputs, zip(*answers, strict=True), strict=True)
    ]
    return list(zip(*columns, [servable.version] * len(answers), strict=True))


def _came_as_content(tensors: Sequence[int], rows: Sequence[Row]) -> bool:
    """Whether the caller sent a tensor as bytes: tensors are answered in the way they came. tensors: their places."""
    return any(rows[0][place] is not None and rows[0][place][-1] is not None for place in tensors) if rows else False


def _model_row(inputs: Sequence[InputField], row: Row) -> Row:
    """Return a row as `Binding.pack` takes it: tensors as arrays."""
    return [
        tensor_value(value, field.element).array if field.kind == "tensor" and value is not None else value
        for field, value in zip(inputs, row, strict=True)
    ]


def _wire_values(field: OutputField, values: Sequence[Any], as_content: bool) -> Sequence[Any]:
    """Return one output of each answer as a writer takes it."""
    if field.kind == "scoredLabels" and len(values) < _MANY:
        return [list(zip(value.labels, value.scores, strict=True)) for value in values]
    if field.kind == "scoredLabels":
        scores = iter(numbers(np.concatenate([value.scores for value in values])))  # all at once: text goes as it is
        return [list(zip(value.labels, scores)) for value in values]  # noqa: B905  (each takes its share)
    if field.kind == "tensor":
        return [tensor_record(value, field.content or as_content) for value in values]
    if field.kind == "record":
        return _wire_records(field, values, as_content)
    if field.kind == "records":
        return [_wire_records(field, records, as_content) for records in values]
    return values


def _wire_records(field: OutputField, records: Sequence[Any], as_content: bool) -> Sequence[Any]:
    columns = zip(field.members, zip(*records, strict=True), strict=bool(records))
    return list(zip(*[_wire_values(member, values, as_content) for member, values in columns], strict=True))
