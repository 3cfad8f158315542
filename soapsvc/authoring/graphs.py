"""Reading graphs from files: GraphDef, MetaGraphDef and SavedModel, binary or text, and asking them for types.

Runs nothing: a graph is parsed, and imported only for TensorFlow's shape inference.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from soapsvc.authoring.inspect_summary import Shape
from soapsvc.authoring.source import SourceError

UNKNOWN = "unknown"


def read_graph(path: Path) -> Any:
    """Return the GraphDef in a .pb or .pbtxt file, without `_output_shapes`. Raises SourceError."""
    from tensorflow.core.framework.graph_pb2 import GraphDef

    graph_def = _parse(path, GraphDef())
    if not graph_def.node:
        raise SourceError(f"{path}: expected a GraphDef with nodes, found none; is it another kind of file?")
    return _without_old_shapes(graph_def)


def read_meta_graph(path: Path) -> Any:
    """Return the MetaGraphDef in a .meta file; old ones' `_output_shapes`, which break imports, are dropped."""
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

    meta = _parse(path, MetaGraphDef())
    _without_old_shapes(meta.graph_def)
    return meta


def read_saved_model(folder: Path) -> Any:
    """Return the SavedModel proto of a folder, without `_output_shapes`. Raises SourceError."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    path = folder / "saved_model.pb"
    saved = _parse(path if path.is_file() else folder / "saved_model.pbtxt", SavedModel())
    if not saved.meta_graphs:
        raise SourceError(f"{folder}: expected a SavedModel with a meta graph, found none")
    for meta in saved.meta_graphs:
        _without_old_shapes(meta.graph_def)
    return saved


def nodes_of(graph_def: Any) -> Iterator[tuple[str, Any]]:
    """Yield each node with the name of the function it is in, "" for the graph itself."""
    for node in graph_def.node:
        yield "", node
    for function in graph_def.library.function:
        for node in function.node_def:
            yield function.signature.name, node


def node_name(edge: str) -> str:
    """Return the node that an input such as `^x`, `x` or `x:1` names."""
    return edge.lstrip("^").split(":")[0]


def shape_of(proto: Any) -> Shape:
    """Return a TensorShapeProto as a tuple."""
    return None if proto.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in proto.dim)


class TypedGraph:
    """A graph's tensors with the dtypes and shapes that TensorFlow infers.

    problem: why TensorFlow could not import it; then types are what the nodes themselves say. Else empty.
    """

    def __init__(self, graph_def: Any) -> None:
        import tensorflow as tf

        self._nodes = {node.name: node for node in graph_def.node}
        self.problem = ""
        copy = type(graph_def)()
        copy.CopyFrom(graph_def)
        for node in copy.node:
            node.device = ""
            node.attr.pop("_class", None)
        try:
            with tf.Graph().as_default() as self._graph:
                tf.graph_util.import_graph_def(copy, name="")
        except (ValueError, KeyError, TypeError, tf.errors.OpError) as err:
            self._graph = None
            self.problem = " ".join(str(err).split())[:200]

    def outputs(self, node: str) -> list[tuple[str, str, Shape]]:
        """Return (name, dtype, shape) for each output of a node."""
        if self._graph is None:
            return [self._declared(node)]
        tensors = self._graph.get_operation_by_name(node).outputs
        return [
            (each.name, each.dtype.base_dtype.name, None if each.shape.rank is None else tuple(each.shape.as_list()))
            for each in tensors
        ]

    def tensor(self, name: str) -> tuple[str, str, Shape] | None:
        """Return (name, dtype, shape) of a tensor such as `x:0`, None when the graph has none of this name."""
        if node_name(name) not in self._nodes:
            return None
        return next((each for each in self.outputs(node_name(name)) if each[0] == name), None)

    def _declared(self, node: str) -> tuple[str, str, Shape]:
        import tensorflow as tf

        attr = self._nodes[node].attr
        number = attr["dtype"].type or attr["T"].type
        shape = shape_of(attr["shape"].shape) if "shape" in attr else None
        return f"{node}:0", tf.as_dtype(number).name if number else UNKNOWN, shape


def _parse(path: Path, message: Any) -> Any:
    """Fill a message from a file: text when its name ends in txt."""
    from google.protobuf import text_format
    from google.protobuf.message import DecodeError

    kind = message.DESCRIPTOR.name
    try:
        content = path.read_bytes()
        if path.suffix.lower() == ".pbtxt":
            return text_format.Parse(content.decode(), message)
        message.ParseFromString(content)
    except OSError as err:
        raise SourceError(f"{path}: can't be read: {err.strerror}") from err
    except (DecodeError, text_format.ParseError, UnicodeDecodeError) as err:
        reason = " ".join(str(err).split())[:120]
        raise SourceError(f"{path}: expected a {kind}, but it is damaged, cut short or another file: {reason}") from err
    return message


def _without_old_shapes(graph_def: Any) -> Any:
    for _, node in nodes_of(graph_def):
        node.attr.pop("_output_shapes", None)
    return graph_def
