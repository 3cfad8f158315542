"""A frozen graph in a session of its own: the only TensorFlow import of the serving path.

Owns reading a GraphDef, refusing ops that are not allowed, and running named tensors as fast as TensorFlow
can. Trusts that inputs were checked: the fast calling path casts nothing and checks no shape.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up notes are no news to an operator

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework import op_def_pb2
from tensorflow.core.protobuf import config_pb2
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.framework import op_def_registry
from tensorflow.python.framework.ops import dismantle_graph

from soapsvc.errors import InvalidInput, LoadError
from soapsvc.model.allowed_ops import ALLOWED_OPS
from soapsvc.model.dtypes import Array, array_of
from soapsvc.model.files import MAX_GRAPH_BYTES, read_file
from soapsvc.model.memory import return_memory
from soapsvc.model.signature import Dim, show_shape

log = logging.getLogger(__name__)
_SCOPE = "servable"
_NODE = re.compile(r"\{\{node ([\w./>-]+)\}\}")  # as TensorFlow names a node in a message
_PREAMBLE = ("Graph execution error", "Detected at node", "<stack traces unavailable>", "Node: ")


@dataclass(frozen=True)
class Threads:
    """TensorFlow's thread settings; see `ThreadsEntry` of the manifest."""

    intra_op: int = 1
    inter_op: int = -1


def read_graph_def(path: Path, sha256: str | None, libraries: Sequence[str], shown_as: str) -> tf.compat.v1.GraphDef:
    """Return the GraphDef in a file.

    libraries: Python modules whose ops are allowed besides ours; they are imported.
    Raises LoadError: no such file, too large, wrong sha256, not a GraphDef, an op that is not allowed or not known.
    """
    try:
        content = read_file(path, MAX_GRAPH_BYTES, shown_as)
    except OSError as err:
        raise LoadError(f"{shown_as}: can't be read: {err.strerror}") from err
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and sha256 != found:
        raise LoadError(f"{shown_as}: graph.sha256 is {sha256}, the file's is {found}; copy the file again")
    graph_def = tf.compat.v1.GraphDef()
    try:
        graph_def.ParseFromString(content)
    except DecodeError as err:
        raise LoadError(f"{shown_as}: not a frozen GraphDef, or cut short ({len(content)} bytes)") from err
    _check_ops(graph_def, _import_libraries(libraries), shown_as)
    return graph_def


def _import_libraries(libraries: Sequence[str]) -> bool:
    for name in libraries:
        try:
            importlib.import_module(name)
        except ImportError as err:
            raise LoadError(f"requires_ops: the Python module {name} is not installed") from err
    return bool(libraries)


def _check_ops(graph_def: tf.compat.v1.GraphDef, with_libraries: bool, shown_as: str) -> None:
    """Raise LoadError at an op that is not on the allow-list; with_libraries lets in ops TensorFlow lacks."""
    functions = {function.signature.name for function in graph_def.library.function} - _TENSORFLOW_OPS
    bodies = [graph_def.node, *(function.node_def for function in graph_def.library.function)]
    used = {node.op for nodes in bodies for node in nodes} - functions
    for op in sorted(used - ALLOWED_OPS):
        if op_def_registry.get(op) is None:
            raise LoadError(f"{shown_as}: unknown op {op}; name the Python module that has it in requires_ops")
        if not (with_libraries and op not in _TENSORFLOW_OPS):
            raise LoadError(f"{shown_as}: op {op} is not allowed: a served graph may compute, nothing else")


def _registered_ops() -> frozenset[str]:
    """Return every op known now: before any library's ops are, as this runs at import."""
    ops = op_def_pb2.OpList.FromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    return frozenset(op.name for op in ops.op)


_TENSORFLOW_OPS = _registered_ops()


class FrozenGraph:
    """A graph imported into its own session, ready to run. Safe to use from many threads."""

    def __init__(
        self, graph_def: tf.compat.v1.GraphDef, threads: Threads, init_ops: Sequence[str],
        constants: Mapping[str, Array] | None = None, on_free: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """Import the graph and run init_ops (node names) once. Raises LoadError.

        constants: fed at every run, tensor name -> array, as in `run`. on_free: called once they are not needed.
        """
        self._constants, self._on_free = dict(constants or {}), on_free
        self._graph = tf.Graph()
        self._callables: dict[tuple[tuple[str, ...], tuple[str, ...]], Callable[..., list[Array]]] = {}
        self._lock = threading.Lock()  # guards _callables while one is made, and the two below
        self._running, self._closed = 0, False
        try:
            with self._graph.as_default():
                tf.import_graph_def(graph_def, name=_SCOPE)
            self._session = tf.compat.v1.Session(graph=self._graph, config=_session_config(threads))
        except (ValueError, KeyError, tf.errors.OpError) as err:
            raise LoadError(f"the graph can't be imported: {first_line(err)}") from err
        try:
            self._initialise(init_ops)
        except BaseException:
            self.close()
            raise

    def _initialise(self, init_ops: Sequence[str]) -> None:
        for name in init_ops:
            try:
                self._session.run(self._graph.get_operation_by_name(f"{_SCOPE}/{name}"), self._scoped(self._constants))
            except (ValueError, KeyError) as err:
                raise LoadError(f"init_ops: the graph has no operation {name}") from err
            except tf.errors.OpError as err:
                raise LoadError(f"init_ops: {name} fails: {first_line(err)}") from err

    def tensor_type(self, tensor: str) -> tuple[str, tuple[Dim, ...] | None]:
        """Return a tensor's dtype name and static shape. Raises LoadError when the graph has no such tensor."""
        try:
            found = self._graph.get_tensor_by_name(f"{_SCOPE}/{tensor}")
        except (KeyError, ValueError) as err:
            raise LoadError(f"the graph has no tensor {tensor}; {self._similar(tensor)}") from err
        shape = None if found.shape.rank is None else tuple(found.shape.as_list())
        return found.dtype.name, shape

    def has_default(self, tensor: str) -> bool:
        """Whether a tensor need not be fed: it is a PlaceholderWithDefault."""
        return bool(self._graph.get_tensor_by_name(f"{_SCOPE}/{tensor}").op.type == "PlaceholderWithDefault")

    def unfed(self, feeds: Iterable[str], fetches: Iterable[str]) -> list[str]:
        """Return the placeholders that the fetched tensors need and nobody feeds. All names as in the manifest."""
        fed = {f"{_SCOPE}/{name}" for name in (*feeds, *self._constants)}
        waiting = [self._graph.get_tensor_by_name(f"{_SCOPE}/{name}") for name in fetches]
        seen: set[str] = set()
        missing: set[str] = set()
        while waiting:
            tensor = waiting.pop()
            if tensor.name in seen or tensor.name in fed:
                continue
            seen.add(tensor.name)
            if tensor.op.type == "Placeholder":
                missing.add(tensor.name.removeprefix(f"{_SCOPE}/"))
            waiting.extend(tensor.op.inputs)
        return sorted(missing)

    def constant(self, tensor: str, value: Any) -> Array:
        """Return value as an array of a tensor's dtype. Raises LoadError when it does not fit."""
        dtype, shape = self.tensor_type(tensor)
        try:
            array = array_of(value, np.dtype(tf.as_dtype(dtype).as_numpy_dtype))
        except (TypeError, ValueError, OverflowError) as err:
            raise LoadError(f"constants.{tensor}: {value!r} is no {dtype}") from err
        if not tf.TensorShape(shape).is_compatible_with(array.shape):
            raise LoadError(f"constants.{tensor}: {value!r} has not the shape {show_shape(shape)}")
        return array

    def run(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        """Return the fetched tensors' values.

        feeds: tensor name -> C-contiguous array of the tensor's dtype in native byte order.
        Raises InvalidInput when the graph itself refuses a value, as an image that can't be decoded.
        """
        key = (tuple(feeds), tuple(fetches))
        run = self._callables.get(key) or self._make_callable(key)
        with self._lock:
            self._running += 1
        try:
            return [_as_array(value) for value in run(*feeds.values())]
        except tf.errors.InvalidArgumentError as err:
            log.info("the graph refused an input at %s", self._refusing(err))
            raise InvalidInput("refused-by-model", "input", "a value the model can work on", "one it can't") from err
        finally:
            with self._lock:
                self._running -= 1
                last = self._closed and not self._running
            if last:
                self._free()

    def _refusing(self, err: tf.errors.OpError) -> str:
        """Return the operation that refused a value. TensorFlow's own words may quote the value."""
        for name in reversed(_NODE.findall(str(err))):
            with suppress(KeyError, ValueError):  # it may stand in the value, too
                operation = self._graph.get_operation_by_name(name)
                return f"{name.removeprefix(f'{_SCOPE}/')} ({operation.type})"
        return "an operation that it does not name"

    def run_plainly(self, feeds: Mapping[str, Array], fetches: Sequence[str]) -> list[Array]:
        """Do what `run` does through TensorFlow's public `Session.run`, some 20 times as slowly."""
        values = self._scoped({**feeds, **self._constants})
        return [_as_array(value) for value in self._session.run([f"{_SCOPE}/{name}" for name in fetches], values)]

    def _scoped(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        return {f"{_SCOPE}/{name}": value for name, value in feeds.items()}

    def close(self) -> None:
        """Free session and graph, once the runs under way are done: one that missed its deadline may still go on."""
        with self._lock:
            self._closed, idle = True, not self._running
        if idle:
            self._free()

    def _free(self) -> None:
        """Take the graph apart by hand: it is full of cycles, and what was there at start is never collected."""
        self._callables.clear()
        self._session.close()
        dismantle_graph(self._graph)
        self._constants.clear()
        if self._on_free is not None:
            self._on_free()
        return_memory()

    def _make_callable(self, key: tuple[tuple[str, ...], tuple[str, ...]]) -> Callable[..., list[Array]]:
        feeds, fetches = key
        with self._lock:
            if key not in self._callables:
                self._callables[key] = self._fast_callable(feeds, fetches) or self._plain_callable(feeds, fetches)
            return self._callables[key]

    def _fast_callable(self, feeds: Sequence[str], fetches: Sequence[str]) -> Callable[..., list[Array]] | None:
        make = getattr(self._session, "_make_callable_from_options", None)  # private: TensorFlow may drop it
        if make is None:
            return None
        options = config_pb2.CallableOptions()
        options.feed.extend(f"{_SCOPE}/{name}" for name in (*feeds, *self._constants))
        options.fetch.extend(f"{_SCOPE}/{name}" for name in fetches)
        made: Callable[..., list[Array]] = make(options)
        constants = tuple(self._constants.values())
        return (lambda *values: made(*values, *constants)) if constants else made

    def _plain_callable(self, feeds: Sequence[str], fetches: Sequence[str]) -> Callable[..., list[Array]]:
        return lambda *values: self.run_plainly(dict(zip(feeds, values, strict=True)), fetches)

    def _similar(self, tensor: str) -> str:
        placeholders = [op.outputs[0].name for op in self._graph.get_operations() if op.type.startswith("Placeholder")]
        names = [name.removeprefix(f"{_SCOPE}/") for name in placeholders[:8]]
        return f"its placeholders are {', '.join(names) or 'none'}"


def _as_array(value: Any) -> Array:
    """Return a fetched value as an array: TensorFlow gives one of rank 0 as a numpy scalar or as bytes."""
    return np.asarray(value, dtype=object if isinstance(value, bytes) else None)


def _session_config(threads: Threads) -> tf.compat.v1.ConfigProto:
    return tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=threads.intra_op, inter_op_parallelism_threads=threads.inter_op
    )


def first_line(err: BaseException) -> str:
    """Return the first line that says something: TensorFlow puts up to four lines before its own words."""
    lines = [line for line in str(err).splitlines() if line and not line.startswith(_PREAMBLE)]
    return lines[0] if lines else err.__class__.__name__
