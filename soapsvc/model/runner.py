"""Gives a proven servable the runner that its manifest asks for, or leaves it with TensorFlow and says why."""

from __future__ import annotations

import logging
from dataclasses import replace

from soapsvc.errors import LoadError
from soapsvc.model.golden import GoldenCall, differences, read_golden
from soapsvc.model.graph import first_line
from soapsvc.model.manifest import Manifest
from soapsvc.model.onnx_runner import OnnxGraph, read_onnx
from soapsvc.model.servable import TENSORFLOW, Servable, feeds_of
from soapsvc.model.serving_keys import WarmupEntry
from soapsvc.model.source import VersionFolder

log = logging.getLogger(__name__)


def accelerated(servable: Servable, folder: VersionFolder, manifest: Manifest) -> Servable:
    """Return the servable on the runner of its manifest, once that gives TensorFlow's and the golden answers.

    Where it doesn't, or can't be used, the servable stays as it is, with the reason in its `runner` and in the log.
    """
    assert manifest.runner is not None
    shown_as = folder.show(manifest.runner.file)
    try:
        return _accelerated(servable, folder, manifest, shown_as)
    except LoadError as err:
        reason = str(err) if str(err).startswith(shown_as) else f"{shown_as}: {err}"
        log.warning("%s version %d runs on TensorFlow: %s", servable.name, servable.version, reason)
        return replace(servable, runner=f"{TENSORFLOW}: {reason}")


def _accelerated(servable: Servable, folder: VersionFolder, manifest: Manifest, shown_as: str) -> Servable:
    entry = manifest.runner
    assert entry is not None
    if manifest.warmup is None:
        raise LoadError("there is no warmup, so nothing shows that it answers alike")
    content = read_onnx(folder.file(entry.file), entry.sha256, shown_as)
    signature = servable.signatures[servable.signature]
    graph = OnnxGraph(content, signature, servable.graph, manifest.threads.intra_op)
    calls = read_golden(folder.file(manifest.warmup.file), signature, folder.show(manifest.warmup.file))
    taken = [call for call in calls if graph.takes(feeds_of(signature, call.inputs))]
    if not taken:
        raise LoadError("no golden call has every input, so nothing shows that it answers alike")
    for call in taken:
        _prove(servable, graph, call, manifest.warmup)
    log.info("%s version %d runs on onnxruntime", servable.name, servable.version)
    return replace(servable, graph=graph, runner=f"onnxruntime ({entry.file})")


def _prove(servable: Servable, graph: OnnxGraph, call: GoldenCall, warmup: WarmupEntry) -> None:
    signature = servable.signatures[servable.signature]
    try:
        answers = graph.run_converted(feeds_of(signature, call.inputs))
    except Exception as err:  # onnxruntime's errors have no class in common
        raise LoadError(f"{call.where}: onnxruntime fails: {first_line(err)}") from err
    if answers is None:
        raise LoadError(f"{call.where}: onnxruntime answers NaN or infinity")
    values = dict(zip(signature.outputs, answers, strict=True))
    for name, expected in {**servable.run(signature, call.inputs), **call.outputs}.items():
        if difference := differences(expected, values[name], warmup.rtol, warmup.atol):
            raise LoadError(f"{call.where}: output {name} is not the golden one: {difference}")
