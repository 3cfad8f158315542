"""A frozen graph as ONNX, by tf2onnx: the signature's part of it, with its constants."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from soapsvc.authoring.source import SourceError
from soapsvc.model.graph import first_line
from soapsvc.model.signature import Signature

OPSET = 18  # of ONNX's operators; every onnxruntime that soapsvc[onnx] allows has it
MISSING = "tf2onnx is not installed; install it with: pip install 'soapsvc[onnx]'"


def convert(graph_def: tf.compat.v1.GraphDef, signature: Signature) -> bytes:
    """Return the signature's part of a graph as the bytes of an ONNX model. Raises SourceError with the reason."""
    strings = [
        spec.name for spec in (*signature.inputs.values(), *signature.outputs.values()) if spec.dtype == "string"
    ]
    if strings:
        raise SourceError(f"strings don't convert: {', '.join(strings)}; the model stays with TensorFlow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tf2onnx's own use of numpy and protobuf
        try:
            import tf2onnx
        except ImportError as err:
            raise SourceError(MISSING) from err
        logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # what it can't convert is told below, once
        try:
            model, _ = tf2onnx.convert.from_graph_def(
                _as_called(graph_def, signature),
                input_names=[spec.tensor for spec in signature.inputs.values()],
                output_names=list(signature.fetches),
                opset=OPSET,
            )
        except Exception as err:  # whatever it raises, the graph is one that it does not know
            raise SourceError(f"tf2onnx can't convert the graph: {err.__class__.__name__}: {first_line(err)}") from err
    unknown = sorted(set(_unknown_ops(model.graph.node)))
    if unknown:
        raise SourceError(f"these ops don't convert: {', '.join(unknown)}; the model stays with TensorFlow")
    return bytes(model.SerializeToString())


def _as_called(graph_def: tf.compat.v1.GraphDef, signature: Signature) -> tf.compat.v1.GraphDef:
    """Return the graph with what is always fed as constants, and no default for an input, which would be folded."""
    called = tf.compat.v1.GraphDef()
    called.CopyFrom(graph_def)
    constants = {tensor.removesuffix(":0"): value for tensor, value in signature.constants.items()}
    inputs = {spec.tensor.removesuffix(":0") for spec in signature.inputs.values()}
    for node in called.node:
        if node.name in constants:
            dtype = tf.as_dtype(node.attr["dtype"].type)
            node.op = "Const"
            del node.input[:]
            node.attr.clear()
            node.attr["dtype"].type = dtype.as_datatype_enum
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(constants[node.name], dtype))
        elif node.name in inputs and node.op == "PlaceholderWithDefault":
            node.op = "Placeholder"
            del node.input[:]
    return called


def _unknown_ops(nodes: Iterable[Any]) -> Iterable[str]:
    """Yield the ops that no ONNX operator set has: tf2onnx leaves in place what it can't convert."""
    import onnx

    for node in nodes:
        if not onnx.defs.has(node.op_type, node.domain):
            yield node.op_type
        for attribute in node.attribute:
            for graph in [attribute.g, *attribute.graphs]:
                yield from _unknown_ops(graph.node)
