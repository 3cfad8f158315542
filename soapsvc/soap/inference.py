"""The generic service: any model by name, named tensors in and out, metadata and status."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from spyne import Boolean, Int, Long, MethodContext, ServiceBase, Unicode

from soapsvc.engine import Engine
from soapsvc.engine.deadline import earliest
from soapsvc.errors import InvalidInput
from soapsvc.model.manager import ModelManager
from soapsvc.model.servable import Servable
from soapsvc.model.signature import Signature, TensorSpec
from soapsvc.model.status import VersionStatus
from soapsvc.soap.call import Call
from soapsvc.soap.ns import ContractNames
from soapsvc.soap.service import operation, service_class
from soapsvc.soap.tensors import TensorValue, tensor_record, tensor_value
from soapsvc.soap.types import Type, Types, optional, required

NAMES = ContractNames("inference", 1)
DESCRIPTION = "Any model by its name: named tensors in and out, metadata and status."

_MODEL = ("modelName", required(Unicode))
_VERSION = ("version", optional(Long, "A version's number; nil means the highest one."))
_LABEL = ("label", optional(Unicode, "A version's label, as stable; not together with version."))
_SIGNATURE = ("signature", optional(Unicode, "A signature's name; absent means the one of the typed contract."))


def inference_service(manager: ModelManager, engine: Engine) -> type[ServiceBase]:
    """Return the generic service class: predict, getModel and listModels."""
    types = Types(NAMES.namespace)
    inference = _Inference(manager, engine)
    faults = types.faults()
    tensors = types.array(
        types.record("NamedTensor", [("name", required(Unicode)), ("tensor", required(types.tensor()))])
    )
    names = types.array(Unicode)
    result = types.record(
        "InferenceResult",
        [("modelName", required(Unicode)), ("modelVersion", required(Long)), ("outputs", required(tensors))],
    )

    def predict(ctx: MethodContext, *request: Any) -> Any:
        return inference.predict(ctx.udc, *request)

    def get_model(ctx: MethodContext, *request: Any) -> Any:
        return inference.model(ctx.udc, *request)

    def list_models(ctx: MethodContext) -> Any:
        return inference.models()

    operations = {
        "predict": operation(
            predict, "Run a model on named tensors. Numbers are answered as bytes if any came so, strings likewise.",
            [_MODEL, _VERSION, _LABEL, _SIGNATURE, ("inputs", required(tensors)),
             ("outputNames", optional(names, "The outputs wanted; absent or empty means all."))],
            result, faults,
        ),
        "getModel": operation(
            get_model, "Tell a model's inputs, outputs, limits and versions.",
            [_MODEL, _VERSION, _LABEL, _SIGNATURE], _model_type(types), faults,
        ),
        "listModels": operation(
            list_models, "List every version of every model with its state.", [],
            types.array(_status_type(types)), faults,
        ),
    }  # fmt: skip
    return service_class(NAMES, operations)


def _status_type(types: Types) -> Type:
    return types.record(
        "ModelStatus",
        [
            ("modelName", required(Unicode)),
            ("modelVersion", required(Long)),
            ("state", required(Unicode, "START, LOADING, AVAILABLE, UNAVAILABLE, UNLOADING or END.")),
            ("reason", optional(Unicode, "Why the version is not available.")),
        ],
    )


def _model_type(types: Types) -> Type:
    spec = types.record(
        "TensorSpec",
        [
            ("name", required(Unicode)),
            ("dtype", required(types.dtype())),
            ("shape", optional(types.array(Long), "-1 stands for any size; absent means any rank.")),
            ("optional", required(Boolean)),
        ],
    )
    return types.record(
        "ModelMetadata",
        [
            ("modelName", required(Unicode)),
            ("modelVersion", required(Long)),
            ("description", required(Unicode)),
            ("signature", required(Unicode)),
            ("inputs", required(types.array(spec))),
            ("outputs", required(types.array(spec))),
            ("maxBatch", required(Int)),
        ],
    )


class _Inference:
    """The operations on plain values; see the types above for their order."""

    def __init__(self, manager: ModelManager, engine: Engine) -> None:
        self._manager, self._engine = manager, engine

    def predict(
        self, call: Call, model: str, version: int | None, label: str | None, signature_name: str | None,
        inputs: Sequence[tuple[str, Any]], output_names: Sequence[str] | None,
    ) -> Any:  # fmt: skip
        """Return an InferenceResult. Raises ServingError."""
        with self._handle(model, version, label) as servable:
            call.model, call.version, call.steps = servable.name, servable.version, servable.step_times
            signature = servable.find_signature(signature_name)
            _check_outputs(signature, output_names)
            tensors = _named_tensors(inputs)
            feeds = {name: value.array for name, value in tensors.items()}
            servable.check_tensors(signature, feeds)
            deadline = earliest(call.began, call.deadline_s, servable.limits.deadline_s)
            began = time.monotonic()
            try:
                outputs = self._engine.predict(servable, signature, feeds, deadline)
            finally:
                call.stages["run"] = began, time.monotonic() - began
            as_content = {value.array.dtype == object for value in tensors.values() if value.as_content}
            wanted = output_names or signature.outputs
            records = [tensor_record(outputs[name], (outputs[name].dtype == object) in as_content) for name in wanted]
            return (servable.name, servable.version, list(zip(wanted, records, strict=True)))

    def _handle(self, model: str, version: int | None, label: str | None) -> AbstractContextManager[Servable]:
        """Return a servable to work with. No version is 0: KDSoap's stubs send that where none is given."""
        return self._manager.handle(model, version or None, label)

    def model(self, call: Call, model: str, version: int | None, label: str | None, signature_name: str | None) -> Any:
        """Return a ModelMetadata. Raises ModelNotFound."""
        with self._handle(model, version, label) as servable:
            call.model, call.version = servable.name, servable.version
            return _metadata(servable, signature_name or servable.signature)

    def models(self) -> Any:
        """Return a ModelStatus for every version."""
        return [_status(status) for status in self._manager.status()]


def _named_tensors(inputs: Sequence[tuple[str, Any]]) -> dict[str, TensorValue]:
    tensors: dict[str, TensorValue] = {}
    for index, (name, record) in enumerate(inputs):
        if name in tensors:
            raise InvalidInput("ambiguous-values", f"inputs[{index}].name", "each name once", f"{name!r} again")
        tensors[name] = tensor_value(record, f"inputs[{index}].tensor")
    return tensors


def _check_outputs(signature: Signature, names: Sequence[str] | None) -> None:
    for index, name in enumerate(names or ()):
        if name in (names or ())[:index]:
            raise InvalidInput("ambiguous-values", f"outputNames[{index}]", "each name once", f"{name!r} again")
        if name not in signature.outputs:
            expected = f"one of {', '.join(signature.outputs)}"
            raise InvalidInput("unexpected", f"outputNames[{index}]", expected, repr(name))


def _metadata(servable: Servable, signature_name: str) -> Any:
    signature = servable.find_signature(signature_name)
    inputs = [_spec(spec) for spec in signature.inputs.values()]
    outputs = [_spec(spec) for spec in signature.outputs.values()]
    limit = servable.limits.max_batch
    return (servable.name, servable.version, servable.description, signature_name, inputs, outputs, limit)


def _spec(spec: TensorSpec) -> Any:
    shape = None if spec.shape is None else [dim if isinstance(dim, int) else -1 for dim in spec.shape]
    return (spec.name, spec.dtype, shape, spec.optional)


def _status(status: VersionStatus) -> Any:
    return (status.name, status.version, status.state.value, status.reason or None)
