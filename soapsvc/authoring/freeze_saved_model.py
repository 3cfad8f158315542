"""Freezing one signature of a SavedModel, of TF2 or of TF1, with its lookup tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from soapsvc.authoring.freeze_choice import Choice, check_tensors
from soapsvc.authoring.freeze_function import freeze_function
from soapsvc.authoring.freeze_graph import check_known
from soapsvc.authoring.freeze_request import Request, tensor_name
from soapsvc.authoring.freeze_result import Frozen, contract_names, size_of
from soapsvc.authoring.freeze_session import cut, freeze_session
from soapsvc.authoring.graphs import read_saved_model
from soapsvc.authoring.source import Source, SourceError


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
    saved = read_saved_model(folder)
    for meta in saved.meta_graphs:
        if len(saved.meta_graphs) == 1 or list(meta.meta_info_def.tags) == ["serve"]:
            return meta
    found = ", ".join("+".join(meta.meta_info_def.tags) for meta in saved.meta_graphs)
    raise SourceError(f"{folder}: expected a graph with the tag serve; there are {found}")


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
    ins, outs = contract_names(request, fed, wanted)
    inputs = {name: given[key] for name, key in zip(ins, fed, strict=True)}
    outputs = {name: asked[key] for name, key in zip(outs, wanted, strict=True)}
    check_tensors(session.graph, [*inputs.values(), *outputs.values(), *constants])
    needed = cut(session.graph, inputs.values(), outputs.values(), constants)
    return freeze_session(session, needed, Choice(inputs, outputs, constants), size_of(folder))


def _of_tf2(folder: Path, tags: list[str], request: Request) -> Frozen:
    try:
        loaded = tf.saved_model.load(str(folder), tags=tags)
    except (ValueError, OSError, KeyError, tf.errors.OpError) as err:
        raise SourceError(f"{folder} can't be loaded: {str(err).splitlines()[0]}") from err
    concrete = loaded.signatures[request.signature]
    arguments = sorted(concrete.structured_input_signature[1])
    results = sorted(concrete.structured_outputs)

    def call(given: Sequence[Any]) -> list[Any]:
        answered = concrete(**dict(zip(arguments, given, strict=True)))
        loaded.signatures  # noqa: B018 - keeps the model, and with it its variables, alive as long as this function
        return [answered[key] for key in results]

    return freeze_function(concrete, call, arguments, results, request, size_of(folder))
