"""Loads one version folder into a servable: reads, checks, imports, warms up, and only then hands it over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from soapsvc.errors import InvalidInput, LoadError
from soapsvc.model.binding import Binding
from soapsvc.model.description import Description, describe
from soapsvc.model.dtypes import Array
from soapsvc.model.golden import GoldenCall, differences, read_golden
from soapsvc.model.graph import FrozenGraph, Threads, first_line, read_graph_def
from soapsvc.model.manifest import Manifest
from soapsvc.model.memory import resident_bytes
from soapsvc.model.pipeline import Pinned, Pipeline
from soapsvc.model.pipeline_build import Lender, Neighbours, build_pipeline
from soapsvc.model.runner import accelerated
from soapsvc.model.servable import TENSORFLOW, Batching, Servable
from soapsvc.model.serving_keys import WarmupEntry
from soapsvc.model.shared_files import SharedFiles
from soapsvc.model.sharing import share_constants
from soapsvc.model.signature import Signature, TensorSpec, show_shape
from soapsvc.model.source import MANIFEST, VersionFolder

log = logging.getLogger(__name__)


def load(
    folder: VersionFolder, op_libraries: tuple[str, ...] = (), pipeline_code: tuple[str, ...] = (),
    lender: Lender | None = None, shared: SharedFiles | None = None,
) -> Servable:  # fmt: skip
    """Return the folder's servable, warmed up and proven on its golden data.

    op_libraries: the modules that a manifest may name in requires_ops. pipeline_code: the pipelines whose folder may
    hold Python. lender: who has the models that a pipeline runs; without one they are loaded from the folders beside
    it, for this servable alone. shared: where large constants may lie that other processes hold too.
    Raises LoadError with every reason.
    """
    described = describe(folder)
    manifest = described.manifest
    if manifest.steps is not None:
        neighbours = Neighbours(folder, partial(load, op_libraries=op_libraries))
        return _load_pipeline(folder, described, pipeline_code, lender or neighbours, pinned=lender is None)
    _check_libraries(manifest, folder, op_libraries)
    graph_file = manifest.graph.file
    graph_def = read_graph_def(
        folder.file(graph_file), manifest.graph.sha256, manifest.requires_ops, folder.show(graph_file)
    )
    make = partial(_make, folder, described)
    servable = make(graph_def) if shared is None else share_constants(make, graph_def, folder, manifest, shared)
    try:
        return servable if manifest.runner is None else accelerated(servable, folder, manifest)
    except BaseException:
        servable.graph.close()
        raise


def measured(make: Callable[[], Servable]) -> Servable:
    """Return what is made, and by how much this process grew meanwhile, where the system tells."""
    before = resident_bytes()
    servable = make()
    after = resident_bytes()
    if before is None or after is None:
        return servable
    return replace(servable, memory={**servable.memory, "load_growth": max(0, after - before)})


def _make(
    folder: VersionFolder, described: Description, graph_def: Any, constants: Mapping[str, Array] | None = None,
    on_free: Callable[[], None] | None = None,
) -> Servable:  # fmt: skip
    """Return a proven servable of a graph; see `FrozenGraph` for what is fed to it. Raises LoadError."""
    manifest = described.manifest
    threads = Threads(manifest.threads.intra_op, manifest.threads.inter_op)
    try:
        graph = FrozenGraph(graph_def, threads, manifest.init_ops, constants, on_free)
    except LoadError as err:
        raise LoadError(f"{folder.show(manifest.graph.file)}: {err}") from err
    try:
        return _proven(_servable(folder, described, graph), folder, manifest.warmup)
    except BaseException:
        graph.close()
        raise


def _load_pipeline(
    folder: VersionFolder, described: Description, pipeline_code: tuple[str, ...], lender: Lender, pinned: bool
) -> Servable:
    """Return a pipeline's servable. pinned: with its models for as long as it is not closed."""
    with ExitStack() as models, ExitStack() as at_failure:
        try:
            pipeline, given = build_pipeline(folder, described, pipeline_code, lender, models)
        except LoadError as err:
            raise LoadError(f"{folder.show(MANIFEST)}: {err}") from err
        at_failure.callback(pipeline.close)
        unproven = replace(_made(folder, described, described.signatures, pipeline), pipeline=pipeline)
        proven = _proven(unproven.pinned(given), folder, described.manifest.warmup)
        at_failure.pop_all()
        if not pinned:
            return replace(proven, graph=pipeline, pins=(), step_times={})
        models.callback(pipeline.close)
        own = Pinned(pipeline, given, at_close=models.pop_all().close)
        return replace(proven, graph=own, pipeline=None, pins=(), step_times=own.times)


def _servable(folder: VersionFolder, described: Description, graph: FrozenGraph) -> Servable:
    manifest = described.manifest
    try:
        signatures = {
            name: _checked(name, signature, manifest.signatures[name].constants, graph)
            for name, signature in described.signatures.items()
        }
    except LoadError as err:
        raise LoadError(f"{folder.show(MANIFEST)}: {err}") from err
    return _made(folder, described, signatures, graph)


def _made(
    folder: VersionFolder, described: Description, signatures: Mapping[str, Signature], graph: FrozenGraph | Pipeline
) -> Servable:
    manifest, contract = described.manifest, described.contract
    limits = manifest.limits_of_calls()
    runner = TENSORFLOW if isinstance(graph, FrozenGraph) else f"pipeline of {graph.models}"
    return Servable(
        name=folder.name, version=folder.version, description=manifest.description,
        signatures=signatures, signature=manifest.contract.signature, contract=contract,
        binding=Binding(contract, signatures[manifest.contract.signature], limits, described.conversation),
        limits=limits, graph=graph, runner=runner, conversation=described.conversation,
        memory=_memory(folder, manifest),
        batching=None if manifest.batching is None else Batching(**manifest.batching.model_dump()),
    )  # fmt: skip


def _memory(folder: VersionFolder, manifest: Manifest) -> Mapping[str, int]:
    """Return what is known beforehand of the memory that a version takes; nothing of a pipeline, which has no graph."""
    return {} if manifest.steps is not None else {"graph_file": folder.file(manifest.graph.file).stat().st_size}


def _check_libraries(manifest: Manifest, folder: VersionFolder, op_libraries: tuple[str, ...]) -> None:
    refused = [name for name in manifest.requires_ops if name not in op_libraries]
    if refused:
        raise LoadError(
            f"{folder.show(MANIFEST)}: requires_ops: {refused[0]} is not allowed here; "
            f"the setting op_libraries allows {', '.join(op_libraries) or 'none'}"
        )


def _checked(name: str, signature: Signature, constants: Mapping[str, Any], graph: FrozenGraph) -> Signature:
    """Return a signature whose every tensor is in the graph as it is said to be, with its constants as arrays."""
    where = f"signatures.{name}"
    for side, specs in (("inputs", signature.inputs), ("outputs", signature.outputs)):
        for key, spec in specs.items():
            _check_tensor(f"{where}.{side}.{key}", spec, graph)
    for key, spec in signature.inputs.items():
        if spec.optional and not graph.has_default(spec.tensor):
            raise LoadError(f"{where}.inputs.{key}.optional: {spec.tensor} has no default in the graph")
    fed = [*(spec.tensor for spec in signature.inputs.values()), *constants]
    unfed = graph.unfed(fed, [spec.tensor for spec in signature.outputs.values()])
    if unfed:
        raise LoadError(
            f"{where}: its outputs need {', '.join(unfed)}, which nobody feeds; add it to inputs, or to constants "
            f'with the value it always has, as {{"{unfed[0]}": false}}'
        )
    return replace(signature, constants={tensor: graph.constant(tensor, value) for tensor, value in constants.items()})


def _check_tensor(where: str, spec: TensorSpec, graph: FrozenGraph) -> None:
    dtype, shape = graph.tensor_type(spec.tensor)
    if dtype != spec.dtype:
        raise LoadError(f"{where}.dtype: {spec.dtype}, but {spec.tensor} is {dtype} in the graph")
    if shape is None or spec.shape is None:
        return
    fits = len(shape) == len(spec.shape) and all(
        wanted == found or found is None or not isinstance(wanted, int)
        for wanted, found in zip(spec.shape, shape, strict=True)
    )
    if not fits:
        raise LoadError(f"{where}.shape: {show_shape(spec.shape)}, but {spec.tensor} is {show_shape(shape)}")


def _proven(servable: Servable, folder: VersionFolder, warmup: WarmupEntry | None) -> Servable:
    """Return the servable after its golden calls gave the golden answers, with a sample drawn from them."""
    if warmup is None:
        log.warning("%s: no warmup: its answers are unproven and the first call is slow", folder.show(MANIFEST))
        return servable
    signature = servable.signatures[servable.signature]
    calls = read_golden(folder.file(warmup.file), signature, folder.show(warmup.file))
    for call in calls:
        _prove(servable, signature, call, warmup)
    return replace(servable, sample=servable.binding.row_of(calls[0].inputs))


def _prove(servable: Servable, signature: Signature, call: GoldenCall, warmup: WarmupEntry) -> None:
    try:
        signature.check_inputs(call.inputs, servable.limits)
        outputs = servable.run(signature, call.inputs)
    except InvalidInput as err:
        words = f" ({first_line(err.__cause__)})" if err.__cause__ else ""  # TensorFlow's, for the author
        raise LoadError(f"{call.where}: the golden input is refused: {err}{words}") from err
    except Exception as err:
        log.error("%s: the graph fails on the golden input", call.where, exc_info=err)
        what = f"{err.__class__.__name__}; the log has more"
        raise LoadError(f"{call.where}: the graph fails on the golden input: {what}") from err
    _check_shapes(signature, call, outputs)
    for name, expected in call.outputs.items():
        difference = differences(expected, outputs[name], warmup.rtol, warmup.atol)
        if difference:
            raise LoadError(f"{call.where}: output {name} is not the golden one: {difference}")


def _check_shapes(signature: Signature, call: GoldenCall, outputs: dict[str, Array]) -> None:
    dims: dict[str, int] = {}
    for specs, values in ((signature.inputs, call.inputs), (signature.outputs, outputs)):
        for name, value in values.items():
            shape = specs[name].shape
            if shape is None:
                continue
            fits = value.ndim == len(shape) and all(
                dim is None or size == (dims.setdefault(dim, size) if isinstance(dim, str) else dim)
                for dim, size in zip(shape, value.shape, strict=True)
            )
            if not fits:
                raise LoadError(f"{call.where}: {name} has shape {show_shape(value.shape)}, not {show_shape(shape)}")
