"""A graph computes on what it is given, nothing else, and gives the answers that TensorFlow's public way gives."""

import gc
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.client.session import BaseSession

from soapsvc.errors import InvalidInput
from soapsvc.model.graph import FrozenGraph, Threads, read_graph_def
from soapsvc.model.servable import Servable
from tests.model.folders import double_graph, graph_bytes, graph_def, reason

DTYPES = ["float32", "float64", "int32", "int64", "uint8", "bool", "string"]


def numpy_of(dtype: str, value: Any) -> Any:
    if dtype == "string":
        return np.vectorize(lambda one: str(one).encode(), otypes=[object])(value)
    return np.asarray(value).astype(dtype)


def read(tmp_path: Path, content: Any, sha256: str | None = None, libraries: tuple[str, ...] = ()) -> Any:
    path = tmp_path / "model.pb"
    path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
    return read_graph_def(path, sha256, libraries, "m/1/model.pb")


@pytest.fixture
def frozen() -> Iterator[Callable[..., FrozenGraph]]:
    """Return a function that imports what a builder makes; all sessions are closed at the end."""
    made: list[FrozenGraph] = []

    def load(build: Callable[[Any], None], init_ops: tuple[str, ...] = ()) -> FrozenGraph:
        made.append(FrozenGraph(graph_def(build), Threads(), init_ops))
        return made[-1]

    yield load
    for graph in made:
        graph.close()


@pytest.fixture(scope="module")
def echo() -> Iterator[FrozenGraph]:
    """Return a graph with an identity of any shape for each dtype, and a doubled float32."""

    def build(v1: Any) -> None:
        for dtype in DTYPES:
            v1.identity(v1.placeholder(dtype, None, name=dtype), name=f"{dtype}_out")
        v1.placeholder("float32", [None, 2], name="pair")
        v1.placeholder("string", [], name="word")
        v1.placeholder_with_default(v1.constant([1.0]), [None], name="spare")

    graph = FrozenGraph(graph_def(build), Threads(), ())
    yield graph
    graph.close()


# Reading


def read_file(v1: Any) -> None:
    v1.io.read_file(v1.placeholder("string", [], name="path"), name="content")


def hidden_read_file(v1: Any) -> None:
    inner = tf.function(lambda path: tf.strings.upper(tf.io.read_file(path)))
    tf.identity(tf.function(lambda path: inner(path))(v1.placeholder("string", [], name="path")))


def read_file_in_a_branch(v1: Any) -> None:
    path = v1.placeholder("string", [], name="path")
    tf.function(lambda path: tf.cond(tf.equal(path, "x"), lambda: tf.io.read_file(path), lambda: path))(path)


@pytest.mark.parametrize(
    ("op", "build"),
    [
        ("ReadFile", read_file),
        ("ReadFile", hidden_read_file),
        ("ReadFile", read_file_in_a_branch),
        ("WriteFile", lambda v1: v1.io.write_file("x", "y")),
        ("MatchingFiles", lambda v1: tf.io.matching_files("/etc/*")),
        ("PyFunc", lambda v1: tf.raw_ops.PyFunc(input=[], token="t", Tout=[tf.float32])),
        ("EagerPyFunc", lambda v1: tf.raw_ops.EagerPyFunc(input=[], token="t", Tout=[tf.float32])),
        (
            "ImmutableConst",
            lambda v1: tf.raw_ops.ImmutableConst(dtype=tf.uint8, shape=[1], memory_region_name="/etc/hostname"),
        ),
        ("VariableV2", lambda v1: tf.raw_ops.VariableV2(shape=[1], dtype=tf.float32)),
        ("VarHandleOp", lambda v1: tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[1])),
        (
            "RestoreV2",
            lambda v1: tf.raw_ops.RestoreV2(prefix="x", tensor_names=["a"], shape_and_slices=[""], dtypes=[1]),
        ),
        ("Print", lambda v1: tf.raw_ops.Print(input=1.0, data=[1.0])),
        ("Abort", lambda v1: tf.raw_ops.Abort()),
    ],
)
def test_op_that_does_more_than_compute_is_refused_by_name(
    tmp_path: Path, op: str, build: Callable[[Any], None]
) -> None:
    message = reason(lambda: read(tmp_path, graph_def(build)))
    assert message == f"m/1/model.pb: op {op} is not allowed: a served graph may compute, nothing else"


def test_op_that_does_more_than_compute_stays_refused_with_a_library(tmp_path: Path) -> None:
    assert "op ReadFile is not allowed" in reason(lambda: read(tmp_path, graph_def(read_file), libraries=("json",)))


def test_op_hidden_behind_a_function_of_its_name_is_refused(tmp_path: Path) -> None:
    content = graph_def(read_file)
    function = content.library.function.add().signature
    function.name = "ReadFile"
    assert "op ReadFile is not allowed" in reason(lambda: read(tmp_path, content))


def test_function_attribute_that_names_an_op_reads_nothing(tmp_path: Path, frozen: Any) -> None:
    content = graph_def(lambda v1: v1.placeholder("string", [], name="path"))
    node = content.node.add(name="call", op="PartitionedCall", input=["path"])
    node.attr["Tin"].list.type.append(tf.string.as_datatype_enum)
    node.attr["Tout"].list.type.append(tf.string.as_datatype_enum)
    node.attr["f"].func.name = "ReadFile"
    graph = FrozenGraph(read(tmp_path, content), Threads(), ())
    with pytest.raises((InvalidInput, tf.errors.OpError)):
        graph.run({"path:0": np.asarray(b"/etc/hostname", dtype=object)}, ["call:0"])
    graph.close()


def test_op_unknown_is_refused_with_a_hint(tmp_path: Path) -> None:
    content = graph_def(double_graph)
    content.node[0].op = "NoSuchOp"
    message = reason(lambda: read(tmp_path, content))
    assert message == "m/1/model.pb: unknown op NoSuchOp; name the Python module that has it in requires_ops"


def test_functions_that_only_compute_are_allowed(tmp_path: Path) -> None:
    def build(v1: Any) -> None:
        x = v1.placeholder("float32", [], name="x")
        tf.identity(tf.function(lambda value: tf.while_loop(lambda v: v < 10.0, lambda v: [v * 2], [value])[0])(x), "y")

    content = read(tmp_path, graph_def(build))
    assert content.library.function
    graph = FrozenGraph(content, Threads(), ())
    assert graph.run({"x:0": np.float32([3])[0]}, ["y:0"])[0] == 12
    graph.close()


def test_file_of_the_right_sha256_is_read(tmp_path: Path, double: bytes) -> None:
    assert len(read(tmp_path, double, hashlib.sha256(double).hexdigest()).node) == 3


def test_file_of_another_sha256_is_refused(tmp_path: Path, double: bytes) -> None:
    found = hashlib.sha256(double).hexdigest()
    assert reason(lambda: read(tmp_path, double, "0" * 64)) == (
        f"m/1/model.pb: graph.sha256 is {'0' * 64}, the file's is {found}; copy the file again"
    )


@pytest.mark.parametrize("content", [b"PK\3\4" + bytes(50), b"\x89HDF\r\n\x1a\n", b'node { name: "x" }'])
def test_file_of_another_format_is_refused(tmp_path: Path, content: bytes) -> None:
    message = reason(lambda: read(tmp_path, content))
    assert message == f"m/1/model.pb: not a frozen GraphDef, or cut short ({len(content)} bytes)"


def test_file_cut_short_is_refused(tmp_path: Path, double: bytes) -> None:
    assert "not a frozen GraphDef, or cut short" in reason(lambda: read(tmp_path, double[:-3]))


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()], ids=["missing", "folder"])
def test_file_that_cannot_be_read_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "model.pb")
    message = reason(lambda: read_graph_def(tmp_path / "model.pb", None, (), "m/1/model.pb"))
    assert message.startswith("m/1/model.pb: can't be read: ")
    assert str(tmp_path) not in message


def test_library_not_installed_is_refused(tmp_path: Path, double: bytes) -> None:
    message = reason(lambda: read(tmp_path, double, libraries=("no_such_module",)))
    assert message == "requires_ops: the Python module no_such_module is not installed"


# Importing


def test_empty_file_makes_a_graph_without_tensors(tmp_path: Path) -> None:
    graph = FrozenGraph(read(tmp_path, b""), Threads(), ())
    assert reason(lambda: graph.tensor_type("x:0")) == "the graph has no tensor x:0; its placeholders are none"
    graph.close()


@pytest.mark.parametrize("tensor", ["x:0", "pair:1", "pair", "", "../x:0", "^pair"])
def test_tensor_missing_is_refused_with_the_placeholders(echo: FrozenGraph, tensor: str) -> None:
    message = reason(lambda: echo.tensor_type(tensor))
    placeholders = ", ".join(f"{name}:0" for name in [*DTYPES, "pair"])
    assert message == f"the graph has no tensor {tensor}; its placeholders are {placeholders}"


def test_tensor_type_is_dtype_and_shape(echo: FrozenGraph) -> None:
    types = [echo.tensor_type(name) for name in ("pair:0", "int64:0", "word:0")]
    assert types == [("float32", (None, 2)), ("int64", None), ("string", ())]


def test_only_a_placeholder_with_default_has_a_default(echo: FrozenGraph) -> None:
    assert [echo.has_default(name) for name in ("spare:0", "pair:0")] == [True, False]


def test_graph_that_refers_to_nothing_is_refused() -> None:
    content = graph_def(double_graph)
    content.node[-1].input[0] = "nowhere"
    assert "the graph can't be imported: Node 'y': Unknown input node 'nowhere'" in reason(
        lambda: FrozenGraph(content, Threads(), ())
    )


# Constants


@pytest.mark.parametrize(
    ("tensor", "value", "expected"),
    [
        ("float32:0", 1, np.float32(1)),
        ("float64:0", [1, 2.5], np.array([1, 2.5])),
        ("int64:0", 2**40, np.int64(2**40)),
        ("bool:0", False, np.bool_(False)),
        ("bool:0", 1, np.bool_(True)),
        ("pair:0", [[1, 2]], np.float32([[1, 2]])),
        ("uint8:0", [], np.uint8([])),
    ],
)
def test_constant_takes_the_dtype_of_its_tensor(echo: FrozenGraph, tensor: str, value: Any, expected: Any) -> None:
    array = echo.constant(tensor, value)
    assert (array.dtype, array.tolist()) == (expected.dtype, expected.tolist())


def test_constant_string_is_fed_as_utf8(echo: FrozenGraph) -> None:
    assert echo.run({"string:0": echo.constant("string:0", ["ü"])}, ["string_out:0"])[0].tolist() == ["ü".encode()]


@pytest.mark.parametrize(
    ("tensor", "value"),
    [
        ("float32:0", "fast"),
        ("float32:0", "1"),
        ("float32:0", None),
        ("float32:0", {"a": 1}),
        ("int32:0", 1.5),
        ("int32:0", 2**40),
        ("uint8:0", -1),
        ("bool:0", "false"),
        ("string:0", 5),
        ("float32:0", [[1], [1, 2]]),
    ],
)
def test_constant_of_another_kind_is_refused(echo: FrozenGraph, tensor: str, value: Any) -> None:
    assert reason(lambda: echo.constant(tensor, value)) == f"constants.{tensor}: {value!r} is no {tensor[:-2]}"


@pytest.mark.parametrize(("tensor", "value", "shape"), [("pair:0", [1, 2], "[any, 2]"), ("word:0", ["a"], "[]")])
def test_constant_of_another_shape_is_refused(echo: FrozenGraph, tensor: str, value: Any, shape: str) -> None:
    message = reason(lambda: echo.constant(tensor, value))
    assert message == f"constants.{tensor}: {value!r} has not the shape {shape}"


def test_constant_for_no_tensor_is_refused(echo: FrozenGraph) -> None:
    assert "the graph has no tensor factor; its placeholders are" in reason(lambda: echo.constant("factor", 1))


# Running


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [1, [0, 1, 2], [[1, 0], [0, 1]]], ids=["rank-0", "rank-1", "rank-2"])
def test_fast_way_and_public_way_agree(echo: FrozenGraph, dtype: str, value: Any) -> None:
    feeds = {f"{dtype}:0": numpy_of(dtype, value)}
    for way in (echo.run, echo.run_plainly):
        [answer] = way(feeds, [f"{dtype}_out:0"])
        assert isinstance(answer, np.ndarray)
        assert answer.dtype == np.dtype(object if dtype == "string" else dtype)
        assert np.array_equal(answer, feeds[f"{dtype}:0"])
        assert answer.shape == np.shape(value)


def test_fast_way_is_taken_and_the_public_way_stands_in_for_it(
    echo: FrozenGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds = {"float32:0": np.float32([1, 2])}
    with monkeypatch.context() as patch:
        patch.setattr(FrozenGraph, "run_plainly", lambda *_: pytest.fail("the slow way was taken"))
        assert echo.run(feeds, ["float32_out:0"])[0].tolist() == [1, 2]
    content = graph_def(double_graph)
    monkeypatch.delattr(BaseSession, "_make_callable_from_options")
    graph = FrozenGraph(content, Threads(), ())
    assert graph.run({"x:0": np.float32([[1, 2]])}, ["y:0"])[0].tolist() == [[2, 4]]
    graph.close()


@pytest.mark.parametrize("way", ["run", "run_plainly"])
def test_odd_strings_come_back_whole(echo: FrozenGraph, way: str) -> None:
    sent = np.array([b"", b"a\0", b"\xff\xfe", "你好".encode(), b"x" * 100_000], dtype=object)
    [answer] = getattr(echo, way)({"string:0": sent}, ["string_out:0"])
    assert answer.tolist() == sent.tolist()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(8, dtype=np.float32).reshape(2, 4)[:, ::2],
        np.arange(4, dtype=np.float32).reshape(2, 2).T,
        np.asfortranarray(np.arange(4, dtype=np.float32).reshape(2, 2)),
        np.frombuffer(b"x" + np.arange(4, dtype=np.float32).tobytes(), np.float32, offset=1).reshape(2, 2),
        np.broadcast_to(np.float32([1, 2]), (3, 2)),
        np.arange(4, dtype=np.float32).reshape(2, 2)[::-1],
    ],
    ids=["strided", "transposed", "fortran", "unaligned", "broadcast", "reversed"],
)
def test_servable_runs_an_array_however_it_lies_in_memory(kinds: Servable, array: Any) -> None:
    [(_, feeds)] = kinds.binding.pack(
        [[True, 1, 1, 1, 1.0, None, "", 1.0, 1.0, array[0], [], [], np.zeros((2, 3), "f4"), PNG]]
    )
    wide = {name: np.concatenate([value] * len(array)) for name, value in feeds.items()} | {"series": array}
    answer = kinds.run(kinds.find_signature(None), wide)
    assert answer["series"].tolist() == array.tolist()


def test_graph_that_refuses_a_value_says_so_without_tensorflows_words(frozen: Any) -> None:
    graph = frozen(lambda v1: tf.io.decode_png(v1.placeholder("string", [], name="picture"), name="pixels"))
    with pytest.raises(InvalidInput) as caught:
        graph.run({"picture:0": np.asarray(b"junk", dtype=object)}, ["pixels:0"])
    assert caught.value.code == "refused-by-model"
    assert str(caught.value) == "input: expected a value the model can work on, received one it can't"


def table(v1: Any, value: str) -> None:
    """Build a graph that maps "key" to value, through a table that every such graph calls by one name."""
    handle = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.string, shared_name="vocabulary")
    op = tf.raw_ops.LookupTableImportV2(table_handle=handle, keys=["key"], values=[value], name="fill")
    assert op.name == "fill"
    key = v1.placeholder("string", [None], name="key")
    v1.identity(tf.raw_ops.LookupTableFindV2(table_handle=handle, keys=key, default_value="none"), name="value")


def test_tables_of_one_shared_name_stay_apart(frozen: Any) -> None:
    graphs = [frozen(lambda v1, value=value: table(v1, value), ("fill",)) for value in ("first", "second")]
    keys = {"key:0": np.array([b"key", b"other"], dtype=object)}
    answers = [graph.run(keys, ["value:0"])[0].tolist() for graph in graphs]
    assert answers == [[b"first", b"none"], [b"second", b"none"]]


@pytest.mark.parametrize(("name", "words"), [("nope", "the graph has no operation nope"), ("y:0", "no operation y:0")])
def test_init_op_missing_is_refused(name: str, words: str) -> None:
    message = reason(lambda: FrozenGraph(graph_def(double_graph), Threads(), (name,)))
    assert message.startswith("init_ops: ")
    assert words in message


def test_init_op_that_fails_is_refused_and_the_session_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[FrozenGraph] = []
    monkeypatch.setattr(FrozenGraph, "close", lambda self: (closed.append(self), self._session.close())[0])
    message = reason(lambda: FrozenGraph(graph_def(double_graph), Threads(), ("y",)))
    assert message.startswith("init_ops: y fails: You must feed a value for placeholder tensor")
    assert len(closed) == 1


def test_graph_runs_from_many_threads_at_once(echo: FrozenGraph) -> None:
    answers: dict[int, Any] = {}
    start = threading.Barrier(8)

    def run(number: int) -> None:
        start.wait(timeout=30)
        for _ in range(20):
            answers[number] = echo.run({"int64:0": np.int64([number])}, ["int64_out:0"])[0].tolist()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert answers == {number: [number] for number in range(8)}


def test_closed_graph_runs_no_more() -> None:
    graph = FrozenGraph(tf.compat.v1.GraphDef.FromString(graph_bytes(double_graph)), Threads(), ())
    feeds = {"x:0": np.float32([[1, 2]])}
    assert graph.run(feeds, ["y:0"])[0].tolist() == [[2, 4]]
    graph.close()
    with pytest.raises(tf.errors.CancelledError, match="closed"):
        graph.run(feeds, ["y:0"])


def png() -> bytes:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        content: bytes = session.run(tf.io.encode_png(np.zeros((2, 2, 3), np.uint8)))
    return content


PNG = png()


# Memory


def resident_mb() -> float:
    """Return this process's memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_closed_graph_gives_its_memory_back_without_a_garbage_collection() -> None:
    def build(v1: Any) -> None:
        table = v1.constant(np.random.default_rng(1).random((1, 13_000_000), np.float32), name="table")  # 52 MB
        v1.multiply(v1.placeholder("float32", [None, 1], name="x"), table[:, :10], name="y")

    content = graph_bytes(build)
    grown = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(4):
            graph_def = tf.compat.v1.GraphDef.FromString(content)
            graph = FrozenGraph(graph_def, Threads(), ())
            del graph_def
            graph.run({"x:0": np.ones((1, 1), np.float32)}, ["y:0"])
            graph.close()
            del graph
            grown.append(resident_mb())
    finally:
        gc.enable()
    assert grown[-1] - grown[0] < 40, "one graph is 52 MB, and three came after the first"
