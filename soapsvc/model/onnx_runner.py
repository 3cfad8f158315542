"""A converted graph in onnxruntime, beside the frozen graph that it was converted from.

The only onnxruntime import of the serving path, made when a manifest asks for it. Whatever the converted graph can't
do, TensorFlow does: another signature, an optional input that was left out, an input at which onnxruntime fails or
answers NaN or infinity.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from soapsvc.errors import LoadError
from soapsvc.model.dtypes import Array
from soapsvc.model.files import MAX_GRAPH_BYTES, read_file
from soapsvc.model.servable import Graph
from soapsvc.model.signature import Signature

log = logging.getLogger(__name__)
_QUIET = 4  # onnxruntime logs nothing that it doesn't also raise
MISSING = "onnxruntime is not installed; install it with: pip install 'soapsvc[onnx]'"


def read_onnx(path: Path, sha256: str, shown_as: str) -> bytes:
    """Return a converted file's bytes. Raises LoadError: no such file, too large, wrong sha256."""
    try:
        content = read_file(path, MAX_GRAPH_BYTES, shown_as)
    except OSError as err:
        raise LoadError(f"{shown_as}: can't be read: {err.strerror}") from err
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise LoadError(f"{shown_as}: runner.sha256 is {sha256}, the file's is {found}; convert the graph again")
    return content


class OnnxGraph:
    """A `Graph` that runs one signature in onnxruntime and all else in TensorFlow. Safe to use from many threads."""

    def __init__(self, content: bytes, signature: Signature, source: Graph, intra_op: int = 1) -> None:
        """content: the converted graph, its inputs and outputs named as the tensors are. source: what it came from.

        intra_op: threads within one op; 1 runs them in the caller's thread, 0 lets onnxruntime decide.
        Raises LoadError when onnxruntime is missing, or can't run the content, which may refer to no other file.
        """
        self.source, self._fetches = source, list(signature.fetches)
        self._feeds = {*(spec.tensor for spec in signature.inputs.values()), *signature.constants}
        self._session = _session(content, intra_op)
        self._inputs = [found.name for found in self._session.get_inputs()]
        outputs = {found.name for found in self._session.get_outputs()}
        unknown = [*(set(self._inputs) - self._feeds), *(set(self._fetches) - outputs)]
        if unknown:
            raise LoadError(f"the converted graph is of another signature: {', '.join(sorted(unknown))} differs")

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        """Return the fetched tensors' values. Raises InvalidInput where TensorFlow refuses a value."""
        if self.takes(feeds) and list(fetches) == self._fetches:
            try:
                answers = self.run_converted(feeds)
                if answers is not None:
                    return answers
            except Exception as err:  # onnxruntime's errors have no class in common
                log.info("onnxruntime refused an input, TensorFlow takes it: %s", err.__class__.__name__)
        return self.source.run(feeds, fetches)

    def takes(self, feeds: Mapping[str, Array]) -> bool:
        """Whether the converted graph can take these feeds: all that the signature has, and no others."""
        return feeds.keys() == self._feeds

    def run_converted(self, feeds: Mapping[str, Array]) -> list[Array] | None:
        """Return the values of the signature's outputs, by onnxruntime alone. Raises what onnxruntime raises.

        None when one is NaN or infinite: where a sum overflows, the two part ways.
        """
        answers: list[Array] = self._session.run(self._fetches, {name: feeds[name] for name in self._inputs})
        return answers if all(value.dtype.kind != "f" or np.isfinite(value).all() for value in answers) else None

    def close(self) -> None:
        """Free the source's session at once; onnxruntime's goes with this object, after the runs under way."""
        self.source.close()


def _session(content: bytes, intra_op: int) -> Any:
    try:
        import onnxruntime
    except ImportError as err:
        raise LoadError(MISSING) from err
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = intra_op
    options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as err:
        raise LoadError(f"onnxruntime can't run it: {err.__class__.__name__}") from err
