"""Sample requests that work when pasted, made from a model's golden inputs."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from lxml import etree
from PIL import Image

from soapsvc.model.contract import InputField
from soapsvc.model.dtypes import NUMPY_DTYPE
from soapsvc.model.servable import Servable
from soapsvc.soap.application import SoapEndpoint
from soapsvc.soap.call import Call, request_id
from soapsvc.soap.media_type import ContentType
from soapsvc.soap.tensors import tensor_record


def typed_samples(endpoint: SoapEndpoint, servable: Servable) -> dict[str, bytes]:
    """Return a request for each operation of a typed endpoint, by the operation's name."""
    row = _row(servable)
    values: dict[str, list[Any]] = {"predict": row, "predictBatch": [[row, row]], "getModelInfo": []}
    values["reply"] = [None, *row]
    return {operation: _indented(endpoint.request(operation, values[operation])) for operation in endpoint.operations}


def inference_samples(endpoint: SoapEndpoint, servable: Servable) -> dict[str, bytes]:
    """Return a request for each operation of the generic endpoint, by the operation's name."""
    about: list[Any] = [servable.name, None, None, None]
    feeds = servable.binding.pack([sample_row(servable)])[0][1]
    pictures = {field.tensor for field in servable.contract.inputs if field.kind == "image"}
    inputs = [(name, tensor_record(value, as_content=name in pictures)) for name, value in feeds.items()]
    values: dict[str, list[Any]] = {"predict": [*about, inputs, None], "getModel": about, "listModels": []}
    return {operation: _indented(endpoint.request(operation, values[operation])) for operation in endpoint.operations}


def sample_answer(endpoint: SoapEndpoint, request: bytes) -> bytes:
    """Return what the model answers to a request now, be it a fault, with line breaks."""
    reply = endpoint.answer(request, ContentType(endpoint.soap.mime_type), Call(request_id(None)))
    return _indented(reply.body)


def _indented(envelope: bytes) -> bytes:
    root = etree.fromstring(envelope)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8") + b"\n"


def sample_row(servable: Servable) -> list[Any]:
    """Return one instance as `Binding.pack` takes it: golden where that is known, else made up."""
    fields = servable.contract.inputs
    golden = servable.sample or [None] * len(fields)
    return [
        _made_up(field) if value is None and not field.optional else value
        for field, value in zip(fields, golden, strict=True)
    ]


def _row(servable: Servable) -> list[Any]:
    """Return one instance as a writer takes it."""
    return [
        tensor_record(value, as_content=False) if field.kind == "tensor" and value is not None else value
        for field, value in zip(servable.contract.inputs, sample_row(servable), strict=True)
    ]


def _made_up(field: InputField) -> Any:
    if field.kind == "image":
        return _grey_png(field)
    if field.kind in ("text", "scalar"):
        return "text" if field.dtype == "string" else NUMPY_DTYPE[field.dtype].type(0)
    known = (1,) if field.shape is None else field.shape
    shape = [dim if isinstance(dim, int) else 1 for dim in known]
    if field.dtype == "string":
        return ["text"] * shape[0] if field.kind == "vector" else np.full(shape, b"text", dtype=object)
    return np.zeros(shape, dtype=NUMPY_DTYPE[field.dtype])


def _grey_png(field: InputField) -> bytes:
    height, width = (dim if isinstance(dim, int) else 16 for dim in (field.shape or (16, 16))[:2] or (16, 16))
    picture = BytesIO()
    Image.new("L", (width, height), 128).save(picture, format="PNG")
    return picture.getvalue()
