"""Large constants that workers hold once: the same answers to the last bit, or each worker keeps its own."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soapsvc.model.constants import MIN_BYTES, part
from soapsvc.model.graph import FrozenGraph
from soapsvc.model.loader import load
from soapsvc.model.servable import Servable
from soapsvc.model.shared_files import SharedFiles
from soapsvc.model.source import VersionFolder
from tests.model.folders import DOUBLE, changed, double_graph, graph_bytes, graph_def, jsonl, write_version

Loaded = Callable[..., Servable]
CALL = {"inputs": {"x": [[1.0, 2.0], [-0.3, 7.1]]}}
WARM = changed(DOUBLE, "warmup", {})
CONSTANTS = ["keys", "values", "table", "weights", "kernel", "offset"]
TABLE = 64 * 1024


def numbers(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(len(shape)).standard_normal(shape, np.float32)


def heavy(v1: Any) -> None:
    """Build y from x through a lookup table, an embedding, a product, a convolution and an op on a constant alone."""
    x = v1.placeholder("float32", [None, 2], name="x")
    keys = v1.constant(np.arange(TABLE), name="keys")
    table = v1.raw_ops.HashTableV2(key_dtype="int64", value_dtype="int64", name="lookup")
    v1.raw_ops.LookupTableImportV2(
        table_handle=table, keys=keys, values=v1.constant(np.arange(TABLE)[::-1].copy(), name="values"), name="fill"
    )
    found = v1.raw_ops.LookupTableFindV2(
        table_handle=table, keys=v1.cast(v1.abs(x), "int64"), default_value=v1.constant(np.int64(0))
    )
    rows = v1.reduce_sum(v1.gather(v1.identity(v1.constant(numbers(TABLE, 32), name="table")), found), 1)
    product = v1.nn.relu(v1.matmul(v1.tile(rows, [1, 16]), v1.constant(numbers(512, 256), name="weights")))
    kernel = v1.constant(numbers(3, 3, 64, 128), name="kernel")
    folded = v1.nn.conv2d(v1.reshape(product, [-1, 2, 2, 64]), kernel, 1, "SAME")
    offset = v1.nn.relu(v1.constant(numbers(256, 256), name="offset"))
    v1.add(v1.reshape(v1.reduce_mean(folded, [1, 2]), [-1, 2, 64])[:, :, 0] * 0.01, v1.reduce_mean(offset), name="y")


def random(v1: Any) -> None:
    """Build y = x and a bit of chance, which is within the tolerance of golden calls."""
    x = v1.placeholder("float32", [None, 2], name="x")
    rows = v1.gather(v1.constant(numbers(TABLE, 64), name="table"), v1.cast(x, "int32") * 0)
    v1.add(x + v1.reduce_mean(rows) * 1e-9, v1.random_uniform([2]) * 1e-6, name="y")


@pytest.fixture(scope="module")
def heavy_bytes() -> bytes:
    return graph_bytes(heavy)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """The folder for what processes share, which is not there yet."""
    return tmp_path / "shared"


@pytest.fixture
def loaded(models: Path, shared: Path) -> Iterator[Loaded]:
    """Return a function that loads a graph, as a worker does that shares with others, and as one that doesn't."""
    servables: list[Servable] = []

    def loaded(graph: bytes, manifest: Any = WARM, alone: bool = False) -> Servable:
        folder = models / "double/1"
        found = (
            VersionFolder("double", 1, folder)
            if folder.exists()
            else write_version(models, manifest, graph, warmup=jsonl(CALL))
        )
        servables.append(load(found, shared=None if alone else SharedFiles(shared)))
        return servables[-1]

    yield loaded
    for servable in servables:
        servable.graph.close()


def files(shared: Path) -> list[Path]:
    return sorted(path for path in shared.glob("*") if path.name != "lock")


def answers(servable: Servable, x: Any) -> bytes:
    signature = servable.signatures[servable.signature]
    return servable.run(signature, {"x": x})["y"].tobytes()


def constants_of(servable: Servable) -> Any:
    assert isinstance(servable.graph, FrozenGraph)
    return servable.graph._constants


def initialised(manifest: Any) -> Any:
    return changed(manifest, "init_ops", ["fill"])


def test_shared_constants_answer_as_own_ones_to_the_last_bit(loaded: Loaded, heavy_bytes: bytes) -> None:
    own = loaded(heavy_bytes, initialised(WARM), alone=True)
    first, second = loaded(heavy_bytes), loaded(heavy_bytes)
    assert list(constants_of(first)) == list(constants_of(second)) == [f"{name}:0" for name in CONSTANTS]
    random_numbers = np.random.default_rng(7)
    for batch in (1, 2, 33):
        x = (random_numbers.standard_normal((batch, 2)) * 1000).astype(np.float32)
        assert answers(first, x) == answers(second, x) == answers(own, x)
        feeds, graph = {"x:0": x}, first.graph
        assert isinstance(graph, FrozenGraph)
        assert graph.run_plainly(feeds, ["y:0"])[0].tobytes() == graph.run(feeds, ["y:0"])[0].tobytes()


def test_second_worker_maps_the_file_of_the_first(loaded: Loaded, heavy_bytes: bytes, shared: Path) -> None:
    loaded(heavy_bytes, initialised(WARM))
    (file,) = files(shared)
    identity = file.stat().st_ino, file.stat().st_mtime_ns
    loaded(heavy_bytes)
    assert files(shared) == [file]
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == identity
    assert sum(str(file) in line for line in Path("/proc/self/maps").read_text().splitlines()) == 2


def test_file_that_was_changed_is_made_anew(
    loaded: Loaded, heavy_bytes: bytes, shared: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = loaded(heavy_bytes, initialised(WARM))
    x = np.array([[5, 6]], np.float32)
    expected = answers(first, x)
    (file,) = files(shared)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.unlink()  # what is mapped stays as it was
    file.write_bytes(content)
    second = loaded(heavy_bytes)
    assert "is not what was written to it; it is made anew" in caplog.text
    assert answers(first, x) == answers(second, x) == expected
    assert files(shared) == [file]
    assert file.read_bytes() != content


def test_file_goes_with_its_version_and_others_keep_what_they_mapped(
    loaded: Loaded, heavy_bytes: bytes, shared: Path
) -> None:
    first, second = loaded(heavy_bytes, initialised(WARM)), loaded(heavy_bytes)
    x = np.array([[5, 6]], np.float32)
    expected = answers(first, x)
    first.graph.close()
    assert files(shared) == []
    assert answers(second, x) == expected
    assert answers(loaded(heavy_bytes), x) == expected


def test_graph_that_answers_otherwise_keeps_its_constants(
    loaded: Loaded, shared: Path, caplog: pytest.LogCaptureFixture
) -> None:
    servable = loaded(graph_bytes(random))
    assert not constants_of(servable)
    assert files(shared) == []
    words = "double/1/warmup.jsonl:1: output y would not be the same to the last bit"
    assert f"double version 1: each worker has its own constants: {words}" in caplog.text


def test_folder_that_can_not_be_made_leaves_each_worker_its_constants(
    loaded: Loaded, heavy_bytes: bytes, shared: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shared.write_text("a file in its place")
    assert not constants_of(loaded(heavy_bytes, initialised(WARM)))
    assert "double version 1: each worker has its own constants: they can't be put into a file" in caplog.text


def test_model_without_golden_calls_keeps_its_constants(
    loaded: Loaded, heavy_bytes: bytes, shared: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert not constants_of(loaded(heavy_bytes, initialised(DOUBLE)))
    assert "each worker has its own constants: there is no warmup" in caplog.text
    assert files(shared) == []


def test_small_model_is_left_alone(loaded: Loaded, shared: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    golden = graph_bytes(double_graph)
    assert not constants_of(loaded(golden))
    assert files(shared) == []
    assert "constants" not in caplog.text


def test_constants_that_are_named_or_depend_on_others_stay_in_the_graph() -> None:
    def build(v1: Any) -> None:
        for name in ("free", "fed"):
            v1.constant(numbers(MIN_BYTES // 4), name=name)
        with v1.control_dependencies([v1.no_op()]):
            v1.constant(numbers(MIN_BYTES // 4), name="later")

    parted = part(graph_def(build), {"fed"})
    assert parted is not None
    assert [each.node for each in parted.constants] == ["free"]
    kinds = {node.name: node.op for node in parted.graph_def.node}
    assert [kinds[name] for name in ("free", "fed", "later")] == ["Placeholder", "Const", "Const"]


def test_constants_lie_where_tensorflow_need_not_copy_them() -> None:
    def build(v1: Any) -> None:
        v1.constant(numbers(MIN_BYTES // 4 + 1), name="odd")
        v1.constant(numbers(MIN_BYTES // 4).astype(np.float64), name="next")

    parted = part(graph_def(build), ())
    assert parted is not None
    assert [each.offset % 64 for each in parted.constants] == [0, 0]
    odd, following = parted.arrays(memoryview(parted.content)).values()
    np.testing.assert_array_equal(odd, numbers(MIN_BYTES // 4 + 1))
    np.testing.assert_array_equal(following, numbers(MIN_BYTES // 4).astype(np.float64))


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = SharedFiles(tmp_path / "shared")
        with store.alone():
            store.write("name", b"content")
    finally:
        os.umask(before)
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "shared/name").stat().st_mode & 0o777 == 0o600


def test_link_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    store = SharedFiles(tmp_path / "shared")
    (tmp_path / "elsewhere").write_bytes(b"content")
    with store.alone():
        (tmp_path / "shared/name").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(OSError, match="symbolic links"):
            store.find("name", b"content")


def test_file_that_does_not_fit_on_the_disk_leaves_nothing(tmp_path: Path) -> None:
    import resource

    store = SharedFiles(tmp_path / "shared")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with store.alone():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                store.write("name", bytes(10_000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(tmp_path / "shared") == []
