"""A model folder as a service in this process: the server's own way from the request's bytes to the answer's.

Only HTTP is missing, and with it the limit on a request's size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lxml import etree

from soapsvc.model.contract import OutputField
from soapsvc.model.source import version_folder
from soapsvc.predict.service import Answer, Form, Refused, Row
from soapsvc.soap.call import Call, request_id
from soapsvc.soap.contracts import lone_endpoint
from soapsvc.soap.media_type import ContentType
from soapsvc.soap.ns import SoapVersion
from soapsvc.soap.tensors import CARRIERS

_SOAP = SoapVersion.SOAP11
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)


class LocalService:
    """One version of a model, loaded and proven as the server does it."""

    def __init__(self, folder: Path, op_libraries: tuple[str, ...], pipeline_code: tuple[str, ...] = ()) -> None:
        """Load the folder. Raises LoadError."""
        found = version_folder(folder)
        from soapsvc.model.loader import load  # imports TensorFlow: not before it is needed

        servable = load(found, op_libraries, pipeline_code)
        self._endpoint, self._outputs = lone_endpoint(found, servable, _SOAP), servable.contract.outputs
        batched = servable.find_signature(None).batched
        self.form = Form(servable.contract.inputs, batched, servable.limits.max_batch)

    def predict(self, rows: Sequence[Row]) -> list[Answer]:
        """Return an answer for each row; see `Service`."""
        operation, values = ("predict", rows[0]) if len(rows) == 1 else ("predictBatch", [rows])
        request = self._endpoint.request(operation, values)
        reply = self._endpoint.answer(request, ContentType(_SOAP.mime_type), Call(request_id(None)))
        body = etree.fromstring(reply.body, _PARSER)[-1][0]
        if reply.status != 200:
            raise Refused(body.findtext("faultstring"))
        result = self._endpoint.result(operation, body)
        return [self._answer(each) for each in ([result] if operation == "predict" else result)]

    def _answer(self, values: Sequence[Any]) -> Answer:
        *answers, version = values
        found = {field.element: _plain(field, value) for field, value in zip(self._outputs, answers, strict=True)}
        return found | {"modelVersion": version}


def _plain(field: OutputField, value: Any) -> Any:
    if field.kind == "scoredLabels":
        return [{"label": label, "score": score} for label, score in value]
    if field.kind == "tensor":
        named = zip(("dtype", "shape", *CARRIERS), value, strict=True)
        return {name: _listed(part) for name, part in named if part is not None}
    if field.kind in ("record", "columns"):
        return {member.element: _plain(member, part) for member, part in zip(field.members, value, strict=True)}
    if field.kind == "records":
        return [_plain(replace(field, kind="record"), each) for each in value]
    return _listed(value)


def _listed(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
