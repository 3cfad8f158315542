"""Freezing: a traced function becomes one GraphDef without variables, with the tensor names asked for.

Owns the GraphDef and its names. Knows nothing of manifests, folders or contracts.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from soapsvc.authoring.graphs import nodes_of

BODY = "model"  # name scope of the function's own nodes; the top level is for inputs and outputs


class FreezeError(Exception):
    """A function cannot be made into a graph that stands alone."""


def freeze(
    function: Any, inputs: Sequence[str], outputs: Sequence[str], tables: Mapping[str, Any] | None = None
) -> Any:
    """Freeze a traced function into a GraphDef whose inputs and outputs are the nodes named.

    function: a ConcreteFunction, or a tf.function with an input_signature.
    inputs:   a name for each argument, in the order of the arguments.
    outputs:  a name for each result, in tf.nest order: a dictionary's results are sorted by key.
    tables:   placeholder of a captured table -> the NodeDef to set in its place; it becomes BODY/<its name>.

    Nodes that no output needs are left out. Loops stay functions (`graph_def.library`). Raises FreezeError
    when a table or another resource is captured, as that would leave a placeholder nobody can feed, and when
    the function changes a variable.
    """
    concrete = function if hasattr(function, "structured_outputs") else function.get_concrete_function()
    try:
        constant = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    except ValueError:
        _refuse_assignments(concrete.graph.as_graph_def())
        raise
    graph_def = constant.graph.as_graph_def()
    tables = tables or {}
    for node in graph_def.node:
        if node.name in tables:
            node.CopyFrom(tables[node.name])
    _refuse_resources(graph_def)
    given = [tensor for tensor in constant.inputs if tensor.op.name not in tables]
    _match("input", [tensor.name for tensor in given], inputs)
    _match("output", [tensor.name for tensor in constant.outputs], outputs)
    return _rename(
        graph_def,
        dict(zip(inputs, given, strict=True)),
        dict(zip(outputs, constant.outputs, strict=True)),
    )


def run_frozen(
    graph_def: Any, feeds: Mapping[str, Any], fetches: Sequence[str], init_ops: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Run a frozen graph once, in a session of its own: what a server will answer.

    feeds: node name -> array, or nested lists. fetches: node names. init_ops: run before, in their order.
    Returns an array for each fetch; string tensors come back as arrays of bytes objects.
    """
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(graph_def, name="")
    with tf.compat.v1.Session(graph=graph) as session:
        for name in init_ops:
            session.run(name)
        values = session.run([f"{name}:0" for name in fetches], {f"{name}:0": value for name, value in feeds.items()})
    return dict(zip(fetches, values, strict=True))


def op_types(graph_def: Any) -> set[str]:
    """Every op type in the graph and in its library of functions."""
    functions = {function.signature.name for function in graph_def.library.function}
    return {node.op for _, node in nodes_of(graph_def)} - functions


def _refuse_assignments(graph_def: Any) -> None:
    """Raise FreezeError if the function changes a variable, which a constant can't take."""
    assigning = ("AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp")
    changing = [node.name for _, node in nodes_of(graph_def) if node.op in assigning]
    if changing:
        raise FreezeError(
            f"the function changes variables when it runs, at {changing[0]}; build it without state, as with "
            "stateful=False, or make the state an input and an output"
        )


def _refuse_resources(graph_def: Any) -> None:
    """Raise FreezeError if a placeholder waits for a resource, as nobody could ever feed it."""
    dangling = [
        node.name
        for node in graph_def.node
        if node.op.startswith("Placeholder") and node.attr["dtype"].type == tf.resource.as_datatype_enum
    ]
    if dangling:
        raise FreezeError(
            f"the function captures resources (tables?) that cannot be made constants: {', '.join(dangling)}"
        )


def _match(kind: str, found: Sequence[str], names: Sequence[str]) -> None:
    """Raise FreezeError unless there is one distinct name for each tensor."""
    if len(found) != len(names):
        raise FreezeError(
            f"{len(names)} {kind} names for {len(found)} {kind}s: {', '.join(names)} for {', '.join(found)}"
        )
    if len(set(names)) != len(names) or BODY in names:
        raise FreezeError(f"{kind} names must differ from each other and from {BODY!r}: {', '.join(names)}")


def _rename(graph_def: Any, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Any:
    """Set graph_def between placeholders and identities that bear the names asked for."""
    with tf.Graph().as_default() as graph:
        given = {name: tf.compat.v1.placeholder(tensor.dtype, tensor.shape, name) for name, tensor in inputs.items()}
        results = tf.graph_util.import_graph_def(
            graph_def,
            input_map={tensor.name: given[name] for name, tensor in inputs.items()},
            return_elements=[tensor.name for tensor in outputs.values()],
            name=BODY,
        )
        named = [tf.identity(result, name) for name, result in zip(outputs, results, strict=True)]
    clashes = set(outputs) ^ {tensor.op.name for tensor in named}
    if clashes:
        raise FreezeError(f"an output must not have an input's name: {', '.join(sorted(clashes))}")
    return prune(graph.as_graph_def(), outputs)


def prune(graph_def: Any, outputs: Iterable[str]) -> Any:
    """Return the part of a GraphDef that the nodes named `outputs` need: nodes in their order, and functions.

    What ties nodes to devices, or to nodes that may be gone, is dropped.
    """
    sources = {node.name: [source.lstrip("^").split(":")[0] for source in node.input] for node in graph_def.node}
    needed: set[str] = set()
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += sources[name]
    pruned = tf.compat.v1.GraphDef(versions=graph_def.versions)
    pruned.node.extend(node for node in graph_def.node if node.name in needed)
    called = _called(pruned.node, {function.signature.name: function for function in graph_def.library.function})
    pruned.library.function.extend(each for each in graph_def.library.function if each.signature.name in called)
    pruned.library.gradient.extend(each for each in graph_def.library.gradient if each.function_name in called)
    for nodes in (pruned.node, *(each.node_def for each in pruned.library.function)):
        for node in nodes:
            node.device = ""
            node.attr.pop("_class", None)
    return pruned


def count_nodes(graph_def: Any) -> int:
    """Return the number of nodes in a GraphDef, those of its functions included."""
    return len(graph_def.node) + sum(len(function.node_def) for function in graph_def.library.function)


def _called(nodes: Iterable[Any], library: Mapping[str, Any]) -> set[str]:
    """Return the names of the functions that some nodes call, directly or through other functions."""
    called: set[str] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        attributes = list(node.attr.values())
        named = {node.op, *(value.func.name for value in attributes)}
        named |= {function.name for value in attributes for function in value.list.func}
        for name in (named & library.keys()) - called:
            called.add(name)
            waiting.extend(library[name].node_def)
    return called
