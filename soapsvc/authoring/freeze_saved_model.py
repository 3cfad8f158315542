"""Freezing one signature of a SavedModel, of TF2 or of TF1, with its lookup tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from soapsvc.authoring.freeze import count_nodes
from soapsvc.authoring.freeze_graph import check_known
from soapsvc.authoring.freeze_request import Request, tensor_name
from soapsvc.authoring.freeze_result import Arrays, Frozen, distinct, given_names, size_of, spec_of
from soapsvc.authoring.freeze_session import cut, freeze_session
from soapsvc.authoring.freeze_tables import freeze_with_tables
from soapsvc.authoring.source import Source, SourceError
from soapsvc.model.dtypes import Array


def freeze_saved_model(source: Source, request: Request) -> Frozen:
    """Freeze the signature that --signature names. Raises SourceError, or FreezeError for what it captures."""
    if request.inputs or request.outputs or request.collection:
        raise SourceError("a SavedModel names its tensors itself: take --signature in place of --inputs and --outputs")
    meta = _meta_graph(source.path)
    check_known(meta.graph_def)
    keys = sorted(key for key in meta.signature_def if not key.startswith("__saved_model_"))
    if request.signature not in keys:
        there = ", ".join(keys) or "none: save it again with signatures="
        raise SourceError(f"--signature {request.signature}: the SavedModel has {there}")
    tags = list(meta.meta_info_def.tags)
    if meta.HasField("object_graph_def"):
        return _of_tf2(source.path, tags, request)
    return _of_tf1(source.path, tags, meta.signature_def[request.signature], request)


def _meta_graph(folder: Path) -> Any:
    """Return the MetaGraphDef for serving, or the only one there is."""
    saved = saved_model_pb2.SavedModel()
    try:
        if (folder / "saved_model.pb").is_file():
            saved.ParseFromString((folder / "saved_model.pb").read_bytes())
        else:
            text_format.Parse((folder / "saved_model.pbtxt").read_text(encoding="utf-8"), saved)
    except (DecodeError, text_format.ParseError, UnicodeDecodeError) as err:
        raise SourceError(f"{folder}: its saved_model.pb is none, or cut short") from err
    for meta in saved.meta_graphs:
        if len(saved.meta_graphs) == 1 or list(meta.meta_info_def.tags) == ["serve"]:
            return meta
    found = ", ".join("+".join(meta.meta_info_def.tags) for meta in saved.meta_graphs)
    raise SourceError(f"{folder}: expected a graph with the tag serve; there are {found or 'none'}")


def _renamed(
    request: Request, inputs: Sequence[str], outputs: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the contract's names for a signature's inputs and outputs."""
    ins = given_names("--input-names", request.input_names, inputs) if request.input_names else distinct(inputs)
    if request.output_names:
        return ins, given_names("--output-names", request.output_names, outputs)
    return ins, distinct(outputs, taken=ins)


def _of_tf1(folder: Path, tags: list[str], signature: Any, request: Request) -> Frozen:
    session = tf.compat.v1.Session(graph=tf.Graph())
    with session.graph.as_default():
        try:
            tf.compat.v1.saved_model.loader.load(session, tags, str(folder), clear_devices=True)
        except (ValueError, OSError, KeyError, tf.errors.OpError) as err:
            raise SourceError(f"{folder} can't be loaded: {str(err).splitlines()[0]}") from err
    constants = {tensor_name(name): value for name, value in request.constants.items()}
    given = {key: info.name for key, info in signature.inputs.items() if info.name not in constants}
    asked = {key: info.name for key, info in signature.outputs.items()}
    if not all([*given.values(), *asked.values()]):
        raise SourceError(f"--signature {request.signature}: has sparse or ragged tensors; only dense ones are served")
    fed, wanted = sorted(given), sorted(asked)
    ins, outs = _renamed(request, fed, wanted)
    inputs = {name: given[key] for name, key in zip(ins, fed, strict=True)}
    outputs = {name: asked[key] for name, key in zip(outs, wanted, strict=True)}
    needed = cut(session.graph, inputs.values(), outputs.values(), constants)
    return freeze_session(session, needed, inputs, outputs, constants, size_of(folder))


def _of_tf2(folder: Path, tags: list[str], request: Request) -> Frozen:
    if request.constants:
        raise SourceError("a SavedModel of TF2 takes no --constant: export a signature without that input")
    try:
        loaded = tf.saved_model.load(str(folder), tags=tags)
    except (ValueError, OSError, KeyError, tf.errors.OpError) as err:
        raise SourceError(f"{folder} can't be loaded: {str(err).splitlines()[0]}") from err
    concrete = loaded.signatures[request.signature]
    arguments = sorted(concrete.structured_input_signature[1])
    results = sorted(concrete.structured_outputs)
    inputs, outputs = _renamed(request, arguments, results)
    graph_def, init_ops = freeze_with_tables(concrete, inputs, outputs)
    tensors = concrete.inputs[: len(inputs)]

    def original(arrays: Arrays) -> dict[str, Array]:
        given = {
            key: tf.constant(arrays[name], tensor.dtype)
            for key, name, tensor in zip(arguments, inputs, tensors, strict=True)
        }
        answered = concrete(**given)
        loaded.signatures  # noqa: B018 - keeps the model, and with it its variables, alive as long as this function
        return {name: np.asarray(answered[key].numpy()) for name, key in zip(outputs, results, strict=True)}

    return Frozen(
        graph_def,
        {name: spec_of(name, f"{name}:0", tensor) for name, tensor in zip(inputs, tensors, strict=True)},
        {
            name: spec_of(name, f"{name}:0", concrete.structured_outputs[key])
            for name, key in zip(outputs, results, strict=True)
        },
        original,
        nodes=count_nodes(concrete.graph.as_graph_def()),
        bytes=size_of(folder),
        init_ops=init_ops,
    )
