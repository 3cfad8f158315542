"""Lookup tables in a frozen graph: their content as constants, put back by an operation that runs after each load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.ops import gen_lookup_ops

from soapsvc.authoring.freeze import BODY, freeze
from soapsvc.authoring.source import SourceError

TABLE_OPS = frozenset({"HashTableV2", "MutableHashTableV2", "AnonymousHashTable", "AnonymousMutableHashTable"})
FILLERS = frozenset({"InitializeTableV2", "InitializeTableFromTextFileV2", "LookupTableImportV2"})
Content = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]  # keys and values, of equal length


def table_dtypes(graph_def: Any, table: str) -> tuple[int, int]:
    """Return the dtype enums (keys, values) that a graph looks a table up with.

    table: the node that gives the table's handle; its use is followed into the graph's functions. Exact dtypes
    matter: TensorFlow ends the process when a table is exported in others. Raises SourceError when there is no look-up.
    """
    library = {function.signature.name: function for function in graph_def.library.function}
    waiting: list[tuple[Any, str]] = [(graph_def.node, table)]
    seen: set[tuple[int, str]] = set()
    while waiting:
        nodes, handle = waiting.pop()
        if (id(nodes), handle) in seen:
            continue
        seen.add((id(nodes), handle))
        for node in nodes:
            places = [index for index, source in enumerate(node.input) if source.split(":")[0] == handle]
            if places and node.op == "LookupTableFindV2":
                return node.attr["Tin"].type, node.attr["Tout"].type
            if places and node.op == "Identity":
                waiting.append((nodes, node.name))
            for place in places:
                waiting += _as_arguments(node, place, library)
    raise SourceError(f"nothing looks the table or resource {table} up, so its content can't be read")


def _as_arguments(node: Any, place: int, library: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """Return, for each function that a node calls, its nodes and what it calls the node's input at `place`."""
    values = list(node.attr.values())
    names = [value.func.name for value in values] + [each.name for value in values for each in value.list.func]
    found = []
    for function in (library[name] for name in {*names, node.op} if name in library):
        arguments = function.signature.input_arg
        fed = [source for source in node.input if not source.startswith("^")]
        index = place - (len(fed) - len(arguments))  # a condition may come before the arguments
        if 0 <= index < len(arguments):
            found.append((function.node_def, arguments[index].name))
    return found


def freeze_with_tables(concrete: Any, inputs: Sequence[str], outputs: Sequence[str]) -> tuple[Any, tuple[str, ...]]:
    """Freeze a ConcreteFunction with the lookup tables it captures; return the GraphDef and its init_ops.

    inputs, outputs: as for `freeze`. Raises SourceError for tables that can't be read, FreezeError as `freeze` does.
    """
    tables = _captured_tables(concrete)
    nodes = {name: table_node(name, content) for name, content in tables.items()}
    graph_def = freeze(concrete, inputs, outputs, nodes)
    kept = {node.name for node in graph_def.node}
    filled = [(f"{BODY}/{name}", content) for name, content in tables.items() if f"{BODY}/{name}" in kept]
    return graph_def, tuple(add_content(graph_def, name, content) for name, content in filled)


def _captured_tables(concrete: Any) -> Mapping[str, Content]:
    """Return the content of the lookup tables that a function captures, by their placeholders' names."""
    variables = {id(variable.handle) for variable in concrete.graph.variables}
    graph_def = concrete.graph.as_graph_def()
    tables = {}
    for handle, placeholder in concrete.graph.captures:
        if placeholder.dtype != tf.resource or id(handle) in variables:
            continue
        name = placeholder.op.name
        keys, values = gen_lookup_ops.lookup_table_export_v2(handle, *table_dtypes(graph_def, name))
        if len(keys.shape) != 1 or len(values.shape) != 1:
            raise SourceError(f"the table {name} is dense or holds vectors; only tables of single values can be kept")
        tables[name] = keys.numpy(), values.numpy()
    return tables


def table_node(name: str, content: Content) -> Any:
    """Return the NodeDef of an empty table for such content, private to one session."""
    node = tf.compat.v1.NodeDef(name=name, op="HashTableV2")
    for key, values in zip(("key_dtype", "value_dtype"), content, strict=True):
        node.attr[key].type = tf.as_dtype(_strings(values).dtype).as_datatype_enum
    node.attr["shared_name"].s = f"frozen_{name}".encode()
    return node


def add_content(graph_def: Any, name: str, content: Content) -> str:
    """Add the nodes that fill the table `name` to graph_def; return the operation to run after each load."""
    sources = [name]
    dtypes = []
    for part, values in zip(("keys", "values"), content, strict=True):
        tensor = tf.make_tensor_proto(_strings(values))
        constant = graph_def.node.add(name=f"{name}/frozen_{part}", op="Const")
        constant.attr["dtype"].type = tensor.dtype
        constant.attr["value"].tensor.CopyFrom(tensor)
        sources.append(constant.name)
        dtypes.append(tensor.dtype)
    fill = graph_def.node.add(name=f"{name}/frozen_fill", op="LookupTableImportV2", input=sources)
    fill.attr["Tin"].type, fill.attr["Tout"].type = dtypes
    return str(fill.name)


def _strings(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return values with strings as TensorFlow wants them, also when there are none."""
    return values.astype(object) if values.dtype.kind in "SUO" else values
