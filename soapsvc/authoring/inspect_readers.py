"""Each kind of source and how it is opened: what `inspect` knows of it. Runs no model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from soapsvc.authoring.graphs import TypedGraph, nodes_of, read_graph, read_meta_graph, read_saved_model
from soapsvc.authoring.inspect_checkpoint import OBJECT_GRAPH, open_checkpoint
from soapsvc.authoring.inspect_keras import inspect_keras
from soapsvc.authoring.inspect_protos import (
    constant,
    constant_value,
    graph_notes,
    operations_of,
    signatures_of,
    signed_inputs,
    signed_outputs,
    trainable_names,
    trainable_objects,
    written_by,
)
from soapsvc.authoring.inspect_suggest import suggest
from soapsvc.authoring.inspect_summary import Inspected, NamedTensor, SignatureFound, Summary
from soapsvc.authoring.source import Source, SourceError, SourceKind
from soapsvc.errors import LoadError
from soapsvc.model.dtypes import Array
from soapsvc.model.manifest import Manifest, SignatureEntry, read_manifest

_UNSIGNED = ("it has no signature, which freezing needs; save it again with signatures=",)


def inspect_source(source: Source) -> Inspected:
    """Open a source and return what it holds. Raises SourceError."""
    return _READERS[source.kind](source, _size(source))


def _checkpoint(source: Source, size: int) -> Inspected:
    tensors, read = open_checkpoint(source.prefix, None)
    is_tf2 = OBJECT_GRAPH in {tensor.name for tensor in tensors}
    what = "TF2 checkpoint" if is_tf2 else "TF1 checkpoint"
    note = "there is no graph beside it, only values; freezing needs the code that builds the graph: --build"
    summary = Summary(f"{what} without a graph", str(source.path), source.note, (), size, tensors=tensors)
    return Inspected(replace(summary, notes=(note,)), None, read)


def _meta_graph(source: Source, size: int) -> Inspected:
    meta = read_meta_graph(source.part(".meta"))
    tensors, read = open_checkpoint(source.prefix, trainable_names(meta))
    typed = TypedGraph(meta.graph_def)
    collections = {key: value.node_list.value for key, value in meta.collection_def.items()}
    signatures = signatures_of(meta)
    inputs, outputs = suggest(meta.graph_def, typed, collections)
    summary = Summary(
        f"TF1 {source.kind.value}",
        str(source.path),
        source.note,
        written_by(meta),
        size,
        signatures,
        inputs,
        outputs,
        tensors,
        operations=operations_of(meta.graph_def),
        notes=graph_notes(meta.graph_def, typed),
    )
    return Inspected(summary, meta.graph_def, read)


def _saved_model(source: Source, size: int) -> Inspected:
    saved = read_saved_model(source.path)
    tags = [",".join(meta.meta_info_def.tags) for meta in saved.meta_graphs]
    meta = next((each for each in saved.meta_graphs if "serve" in each.meta_info_def.tags), saved.meta_graphs[0])
    is_tf2 = meta.HasField("object_graph_def")
    trainable = trainable_objects(meta) if is_tf2 else trainable_names(meta)
    variables = source.path / "variables" / "variables"
    has_variables = variables.with_name("variables.index").is_file()
    tensors, read = open_checkpoint(str(variables), trainable) if has_variables else ((), _nothing)
    signatures = signatures_of(meta)
    inputs, outputs = signed_inputs(signatures), signed_outputs(signatures)
    typed = TypedGraph(meta.graph_def)
    unsigned = is_tf2 and not outputs  # its graph then only saves and restores
    if not outputs and not is_tf2:
        inputs, outputs = suggest(meta.graph_def, typed, {})
    several = (f"it has {len(tags)} graphs, tagged {' | '.join(tags)}; this is the first for serving",)
    summary = Summary(
        f"{source.kind.value} of {'TF2' if is_tf2 else 'TF1'}",
        str(source.path),
        source.note,
        (*written_by(meta), f"schema version {saved.saved_model_schema_version}"),
        size,
        signatures,
        inputs,
        outputs,
        tensors,
        operations=operations_of(meta.graph_def),
        notes=(several if len(tags) > 1 else ()) + (_UNSIGNED if unsigned else ()) + graph_notes(meta.graph_def, typed),
    )
    return Inspected(summary, meta.graph_def, read)


def _frozen(source: Source, size: int) -> Inspected:
    return _constants(source, size, read_graph(source.path))


def _constants(source: Source, size: int, graph_def: Any) -> Inspected:
    typed = TypedGraph(graph_def)
    inputs, outputs = suggest(graph_def, typed, {})
    constants = {node.name: node for function, node in nodes_of(graph_def) if node.op == "Const" and not function}
    version = graph_def.versions.producer
    variables = [node.name for _, node in nodes_of(graph_def) if node.op in ("VariableV2", "VarHandleOp", "Variable")]
    unfrozen = f"not frozen: {len(variables)} variables without values, as {variables[0]}" if variables else ""
    summary = Summary(
        source.kind.value,
        str(source.path),
        source.note,
        (f"GraphDef version {version} (TensorFlow's own is not recorded)",) if version else (),
        size,
        inputs=inputs,
        outputs=outputs,
        tensors=tuple(constant(node, source.path) for node in constants.values()),
        variables=False,
        operations=operations_of(graph_def),
        notes=((unfrozen,) if unfrozen else ()) + graph_notes(graph_def, typed),
    )
    return Inspected(summary, graph_def, lambda name: constant_value(constants[name], source.path))


def _model_folder(source: Source, size: int) -> Inspected:
    try:
        manifest = read_manifest(source.path / "model.yaml", str(source.path / "model.yaml"))
    except LoadError as err:
        raise SourceError(str(err)) from err
    graph = Source(source.kind, source.path / manifest.graph.file, source.note)
    found = _constants(graph, size, read_graph(graph.path))
    signatures = tuple(_manifest_signature(name, entry) for name, entry in manifest.signatures.items())
    summary = replace(
        found.summary,
        what=f"{source.kind.value}: {manifest.name}, {manifest.description or 'no description'}",
        path=str(source.path),
        signatures=signatures,
        notes=found.summary.notes + _wrong_digest(graph.path, manifest),
        inputs=signed_inputs(signatures),
        outputs=signed_outputs(signatures),
    )
    return Inspected(summary, found.graph_def, found.read)


def _manifest_signature(name: str, entry: SignatureEntry) -> SignatureFound:
    sides = [
        tuple(NamedTensor(key, each.tensor, each.dtype, each.shape) for key, each in side.items())
        for side in (entry.inputs, entry.outputs)
    ]
    return SignatureFound(name, sides[0], sides[1])


def _wrong_digest(graph: Path, manifest: Manifest) -> tuple[str, ...]:
    expected = manifest.graph.sha256
    if expected is None or sha256(graph.read_bytes()).hexdigest() == expected:
        return ()
    return (f"the sha256 of {graph.name} is not the manifest's: the server will refuse it",)


def _nothing(name: str) -> Array:
    raise SourceError(f"there is no tensor {name}: the source stores none")


def _size(source: Source) -> int:
    """Return the bytes of all the source's files."""
    if source.prefix:
        return sum(path.stat().st_size for path in source.parts())
    if source.path.is_dir():
        return sum(path.stat().st_size for path in source.path.rglob("*") if path.is_file())
    return source.path.stat().st_size


_READERS: dict[SourceKind, Callable[[Source, int], Inspected]] = {
    SourceKind.CHECKPOINT: _checkpoint,
    SourceKind.META_GRAPH: _meta_graph,
    SourceKind.SAVED_MODEL: _saved_model,
    SourceKind.KERAS: inspect_keras,
    SourceKind.KERAS_H5: inspect_keras,
    SourceKind.FROZEN_GRAPH: _frozen,
    SourceKind.TEXT_GRAPH: _frozen,
    SourceKind.MODEL_FOLDER: _model_folder,
}
