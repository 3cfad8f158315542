"""Converts a model folder's graph for onnxruntime, compares and times the two, and keeps it if it is alike and faster.

Owns what counts as alike, and the files that are written. The frozen graph stays what the converted one is held to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from soapsvc.authoring.accelerate_convert import convert
from soapsvc.authoring.accelerate_inputs import Trial, trials
from soapsvc.authoring.accelerate_time import Timing, timings
from soapsvc.authoring.freeze_golden import difference
from soapsvc.authoring.manifest_edit import with_key
from soapsvc.authoring.new_file import new_file
from soapsvc.authoring.progress import Step
from soapsvc.authoring.source import SourceError
from soapsvc.errors import InvalidInput, LoadError
from soapsvc.model.description import describe
from soapsvc.model.dtypes import Array
from soapsvc.model.golden import differences, read_golden
from soapsvc.model.graph import first_line, read_graph_def
from soapsvc.model.loader import load
from soapsvc.model.manifest import Manifest
from soapsvc.model.onnx_runner import OnnxGraph
from soapsvc.model.servable import Servable, feeds_of
from soapsvc.model.serving_keys import WarmupEntry
from soapsvc.model.source import MANIFEST, VersionFolder, version_folder

ONNX_FILE = "model.onnx"
_SHOWN = 5  # disagreements told of


@dataclass(frozen=True)
class Accelerated:
    """What came of it.

    calls: how many were compared.  left: those that TensorFlow will answer, as onnxruntime's answer is not finite.
    difference: the largest of the others, as `freeze_golden.difference` has it.
    """

    calls: int
    left: int
    difference: float
    timings: tuple[Timing, ...]

    @property
    def faster(self) -> bool:
        """Whether onnxruntime is the faster one for a single instance."""
        return self.timings[0].onnxruntime_us < self.timings[0].tensorflow_us


def accelerate(path: Path, op_libraries: tuple[str, ...], seed: int, step: Step) -> tuple[Accelerated, bytes]:
    """Return how the converted graph compares with the folder's own, and its bytes.

    Raises SourceError when the graph doesn't convert or answers otherwise, LoadError when the folder doesn't load.
    """
    folder = version_folder(path)
    manifest = describe(folder).manifest
    if manifest.warmup is None:
        raise SourceError(f"{folder.show(MANIFEST)}: no warmup; a runner is held to golden calls at load, record some")
    step("loading the model")
    servable = load(folder, op_libraries)
    if isinstance(servable.graph, OnnxGraph):
        servable = replace(servable, graph=servable.graph.source)
    try:
        return _accelerate(servable, folder, manifest, manifest.warmup, seed, step)
    finally:
        servable.graph.close()


def _accelerate(
    servable: Servable, folder: VersionFolder, manifest: Manifest, warmup: WarmupEntry, seed: int, step: Step
) -> tuple[Accelerated, bytes]:
    graph_file, signature = manifest.graph.file, servable.signatures[servable.signature]
    step("converting the graph")
    graph_def = read_graph_def(
        folder.file(graph_file), manifest.graph.sha256, manifest.requires_ops, folder.show(graph_file)
    )
    content = convert(graph_def, signature)
    try:
        graph = OnnxGraph(content, signature, servable.graph, manifest.threads.intra_op)
    except LoadError as err:
        raise SourceError(str(err)) from err
    golden = read_golden(folder.file(warmup.file), signature, folder.show(warmup.file))
    step("comparing the answers")
    calls = [*(Trial(call.where, call.inputs) for call in golden), *trials(servable, seed)]
    taken = [call for call in calls if graph.takes(feeds_of(signature, call.inputs))]
    left, apart = _compared(servable, graph, taken, warmup)
    step("timing runs")
    return Accelerated(len(taken), left, apart, timings(servable, graph, golden[0].inputs)), content


def keep(path: Path, content: bytes, force: bool) -> None:
    """Write the converted graph and its key in model.yaml, each whole or not at all. Raises SourceError.

    force: replace a runner that is there.
    """
    manifest, onnx = path / MANIFEST, path / ONNX_FILE
    text = manifest.read_bytes().decode()
    entry = {"kind": "onnx", "file": ONNX_FILE, "sha256": hashlib.sha256(content).hexdigest()}
    edited = with_key(text, "runner", entry)
    check_free(path, force)
    with new_file(manifest) as fresh_manifest, new_file(onnx) as fresh_onnx:  # the manifest is the last to change
        fresh_onnx.write_bytes(content)
        fresh_manifest.write_bytes(edited.encode())


def check_free(path: Path, force: bool) -> None:
    """Raise SourceError when the folder has a runner already, unless force."""
    folder = version_folder(path)
    if not force and (describe(folder).manifest.runner is not None or (path / ONNX_FILE).exists()):
        raise SourceError(f"{folder.show(ONNX_FILE)}: there is a runner already; replace it with --force")


def _compared(servable: Servable, graph: OnnxGraph, calls: list[Trial], warmup: WarmupEntry) -> tuple[int, float]:
    """Return how many calls are left to TensorFlow, and the largest difference of the others.

    Raises SourceError unless each is within the tolerance.
    """
    signature = servable.signatures[servable.signature]
    left, largest, wrong = 0, 0.0, []
    for call in calls:
        feeds = feeds_of(signature, call.inputs)
        wanted = _outcome(partial(servable.graph.run, feeds, signature.fetches))
        found = _outcome(partial(graph.run_converted, feeds))
        if found is None or wanted is None:
            left += 1
            continue
        if isinstance(wanted, str) or isinstance(found, str):
            reason = _of_refusal(wanted, found)
        else:
            outputs = dict(zip(signature.outputs, zip(wanted, found, strict=True), strict=True))
            reason = _of_values(outputs, warmup)
            largest = max(largest, *(difference(*pair) for pair in outputs.values()))
        if reason:
            wrong.append(f"{call.what}: {reason}")
    if wrong:
        more = f"\n  and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        hint = "; an input that is `finite: true` takes no NaN and no infinity" if _only_odd(wrong) else ""
        listed = "".join(f"\n  {line}" for line in wrong[:_SHOWN])
        raise SourceError(f"onnxruntime does not answer as TensorFlow does; nothing is kept{hint}:{listed}{more}")
    return left, largest


def _outcome(run: Callable[[], list[Array] | None]) -> list[Array] | str | None:
    """Return the values of a run, or in words why there are none."""
    try:
        with np.errstate(all="ignore"):
            return run()
    except InvalidInput as err:
        return first_line(err.__cause__ or err)
    except Exception as err:  # onnxruntime's errors have no class in common
        return first_line(err)


def _of_refusal(wanted: list[Array] | str, found: list[Array] | str) -> str | None:
    if isinstance(wanted, str):
        return None if isinstance(found, str) else f"TensorFlow refuses it ({wanted}), onnxruntime answers"
    return f"onnxruntime fails: {found}"


def _of_values(outputs: Mapping[str, tuple[Array, Array]], warmup: WarmupEntry) -> str | None:
    for name, (wanted, found) in outputs.items():
        if words := differences(wanted, found, warmup.rtol, warmup.atol):
            return f"output {name}: {words}"
    return None


def _only_odd(wrong: list[str]) -> bool:
    return all(line.startswith(("a NaN", "an infinity")) for line in wrong)
