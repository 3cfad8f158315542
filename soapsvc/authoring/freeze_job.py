"""One run of `freeze`: read, compare, describe, prove, write. Nothing is written before all the rest is done."""

from __future__ import annotations

import importlib
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from soapsvc.authoring.folder import write_folder
from soapsvc.authoring.freeze import FreezeError, count_nodes, op_types
from soapsvc.authoring.freeze_checkpoint import freeze_checkpoint
from soapsvc.authoring.freeze_contract import wanted_contract
from soapsvc.authoring.freeze_golden import Call, compared
from soapsvc.authoring.freeze_graph import freeze_graph_file, freeze_meta_graph
from soapsvc.authoring.freeze_keras import freeze_keras
from soapsvc.authoring.freeze_optimise import OptimiseError, optimised
from soapsvc.authoring.freeze_parts import join_parts
from soapsvc.authoring.freeze_request import Request
from soapsvc.authoring.freeze_result import Frozen
from soapsvc.authoring.freeze_saved_model import freeze_saved_model
from soapsvc.authoring.manifests import manifest_of, unbatched
from soapsvc.authoring.progress import Step
from soapsvc.authoring.source import Source, SourceError, SourceKind, find_source
from soapsvc.authoring.wiring import Wiring
from soapsvc.errors import LoadError
from soapsvc.model.dtypes import Array
from soapsvc.model.loader import load
from soapsvc.model.source import VersionFolder

_MOST_RECORDED = 200_000  # values in a golden call; a picture's pixels as JSON are large
_BUILT = (SourceKind.KERAS, SourceKind.KERAS_H5, SourceKind.CHECKPOINT, SourceKind.META_GRAPH)
_READERS: Mapping[SourceKind, Callable[[Source, Request], Frozen]] = {
    SourceKind.KERAS: freeze_keras,
    SourceKind.KERAS_H5: freeze_keras,
    SourceKind.FROZEN_GRAPH: freeze_graph_file,
    SourceKind.TEXT_GRAPH: freeze_graph_file,
    SourceKind.CHECKPOINT: freeze_checkpoint,
    SourceKind.META_GRAPH: freeze_meta_graph,
    SourceKind.SAVED_MODEL: freeze_saved_model,
}


def freeze_source(request: Request, tell: Callable[[str], None], step: Step, confirm: Callable[[], bool]) -> None:
    """Freeze a source, or wired parts, into the model folder request.to.

    tell gets each line for the user, step the name of what begins.
    confirm: asked, once they were told, whether to go on with inputs or outputs that were suggested.
    Raises SourceError, or KeyboardInterrupt; then the disk is as it was. Once it is being written, an interrupt is too
    late and ignored.
    """
    request.check_target()
    wanted = wanted_contract(request)
    step("reading and freezing")
    frozen = _read(request, tell) if request.wiring is None else _read_parts(request.wiring, request, tell)
    for line in (*frozen.notes, *frozen.suggestions):
        tell(line)
    if frozen.suggestions:
        step("")
        if not confirm():
            raise SourceError("the suggestions were not confirmed; choose with --inputs and --outputs")
    step("optimising and comparing the answers" if request.optimise else "comparing the answers")
    frozen, calls = _optimised(frozen, request, tell) if request.optimise else (frozen, compared(frozen, request))
    _check_difference(calls, frozen, request, tell)
    manifest, labels = manifest_of(frozen, request, wanted, [(call.inputs, call.outputs) for call in calls])
    if unbatched(manifest):
        tell(f"serves one instance a call, not batches: see the first dimension of {', '.join(unbatched(manifest))}")
    content: dict[str, Any] = {
        "graph_def": frozen.graph_def, "manifest": manifest, "labels": labels, "warmup": _recorded(calls)
    }  # fmt: skip
    step("proving that the folder loads")
    _prove(content, request)
    step("writing")
    with _uninterrupted():
        _write(content, frozen, request, tell)


def _write(content: Mapping[str, Any], frozen: Frozen, request: Request, tell: Callable[[str], None]) -> None:
    try:
        write_folder(request.to, **content, force=request.force)
    except OSError as err:
        raise SourceError(f"{request.to} can't be written: {err}") from err
    after = frozen.graph_def
    tell(f"nodes: {frozen.nodes} before, {count_nodes(after)} after")
    tell(f"bytes: {frozen.bytes} before, {after.ByteSize()} after")
    tell(f"wrote {request.to}; it loads and gives its golden answers")


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignore Ctrl-C, so that nobody is told that nothing was written when it was."""
    if threading.current_thread() is not threading.main_thread():  # others get no signals
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _read_parts(wiring: Wiring, request: Request, tell: Callable[[str], None]) -> Frozen:
    parts = {}
    for scope in wiring.parts:
        tell(f"part {scope}:")
        try:
            parts[scope] = _read(request.of_part(scope), tell)
        except SourceError as err:
            keys = f"; options of a part stand in the --wiring file under parts.{scope}" if "--" in str(err) else ""
            raise SourceError(f"part {scope}: {err}{keys}") from err
    return join_parts(parts, wiring)


def _read(request: Request, tell: Callable[[str], None]) -> Frozen:
    assert request.source is not None
    source = find_source(request.source)
    tell(source.note or f"reading the {source.kind.value} {source.path}")
    for library in request.op_libraries:
        try:
            importlib.import_module(library)
        except ImportError as err:
            raise SourceError(f"--op-library {library}: can't be imported: {err}") from err
    reader = _READERS.get(source.kind)
    if request.build is not None:
        if source.kind not in _BUILT:
            raise SourceError(f"--build: {source.path} is a {source.kind.value}, which holds its graph; leave it out")
        if source.kind is SourceKind.META_GRAPH:
            reader = freeze_checkpoint  # the graph that was built is for inference, that beside the values for training
    if reader is None:
        kinds = ", ".join(kind.value for kind in _READERS)
        raise SourceError(
            f"{source.path} is a {source.kind.value}, which can't be frozen as it stands; expected: {kinds}"
        )
    try:
        return reader(source, request)
    except FreezeError as err:
        raise SourceError(f"{source.path}: {err}") from err


def _optimised(frozen: Frozen, request: Request, tell: Callable[[str], None]) -> tuple[Frozen, Sequence[Call]]:
    """Return the frozen graph and its calls, optimised when that answers as the original does."""
    try:
        better = optimised(frozen)
        calls = compared(better, request)
        if max(call.difference for call in calls) <= request.tolerance:
            return better, calls
        reason = "the optimised graph answers otherwise than the original"
    except (OptimiseError, SourceError) as err:
        reason = str(err)
    calls = compared(frozen, request)  # raises what is wrong with the source itself
    tell(f"not optimised: {reason}")
    return frozen, calls


def _check_difference(calls: Sequence[Call], frozen: Frozen, request: Request, tell: Callable[[str], None]) -> None:
    largest = max(call.difference for call in calls)
    tell(f"largest difference between original and frozen graph: {largest:.3g}")
    if largest > request.tolerance:
        random = sorted(op for op in op_types(frozen.graph_def) if "Random" in op or op == "Multinomial")
        hint = f"; it draws random numbers ({', '.join(random)}): switch training off with --constant" if random else ""
        raise SourceError(
            f"the frozen graph answers otherwise than the original, by {largest:.3g}, allowed is {request.tolerance:g}"
            f"{hint}; nothing was written"
        )
    for call in calls:
        for name, array in call.outputs.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise SourceError(
                    f"output {name} is not finite on the inputs it was tried on, so it proves nothing; "
                    "give inputs that make sense, as --golden FILE.npz"
                )


def _recorded(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """Return the calls for warm-up: those of a reasonable size, or the smallest."""
    small = [call for call in calls if call.elements <= _MOST_RECORDED]
    chosen = small or [min(calls, key=lambda call: call.elements)]
    return [{"inputs": _readable(call.inputs), "outputs": _readable(call.outputs)} for call in chosen]


def _readable(arrays: Mapping[str, Array]) -> dict[str, Any]:
    """Return arrays as warm-up records them: strings as text where they are text."""
    return {name: _texts(array.tolist()) if array.dtype.kind in "OS" else array for name, array in arrays.items()}


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(item) for item in value]
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _prove(content: Mapping[str, Any], request: Request) -> None:
    """Load the folder from a place of its own, as a server will. Raises SourceError with the loader's reasons."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / request.name / request.to.name
        write_folder(folder, **content)
        try:
            servable = load(VersionFolder(request.name, int(request.to.name), folder), request.op_libraries)
        except LoadError as err:
            raise SourceError(
                f"the folder would not load, so it was not written: {err}\n"
                "(--input-names and --output-names choose other names)"
            ) from err
        servable.graph.close()
