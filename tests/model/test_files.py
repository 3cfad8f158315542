"""Files in a model's folder that are larger than they look or should be, and what is no file."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from soapsvc.model.description import describe
from soapsvc.model.files import MAX_GOLDEN_BYTES, MAX_GRAPH_BYTES, MAX_LABELS_BYTES, MAX_YAML_BYTES, read_file
from soapsvc.model.golden import read_golden
from soapsvc.model.labels_file import read_labels
from soapsvc.model.manifest import read_manifest
from soapsvc.model.signature import Signature
from tests.conftest import ROOT
from tests.model.folders import DOUBLE, changed, reason, write_version


def sparse(path: Path, size: int) -> Path:
    """Make a file of a size that takes no room on the disk."""
    path.touch()
    os.truncate(path, size)
    return path


def test_graph_that_protobuf_can_not_read_is_refused_unread(tmp_path: Path) -> None:
    from soapsvc.model.graph import read_graph_def

    path = sparse(tmp_path / "model.pb", MAX_GRAPH_BYTES + 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    words = reason(lambda: read_graph_def(path, None, (), "m/1/model.pb"))
    assert words == "m/1/model.pb: larger than 2147483647 bytes, the most that is read"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_manifest_over_its_size_is_refused(tmp_path: Path) -> None:
    path = sparse(tmp_path / "model.yaml", MAX_YAML_BYTES + 1)
    words = "m/1/model.yaml: larger than 1048576 bytes, the most that is read"
    assert reason(lambda: read_manifest(path, "m/1/model.yaml")) == words


def test_labels_over_their_size_are_refused(tmp_path: Path) -> None:
    manifest = changed(DOUBLE, "contract.outputs.y", {"as": "scoredLabels", "labels": "labels.txt"})
    folder = write_version(tmp_path, manifest, b"", labels="x")
    sparse(folder.path / "labels.txt", MAX_LABELS_BYTES + 1)
    words = f"labels: labels.txt: larger than {MAX_LABELS_BYTES} bytes, the most that is read"
    assert words in reason(lambda: describe(folder))


def test_golden_calls_over_their_size_are_refused(tmp_path: Path) -> None:
    path = sparse(tmp_path / "warmup.jsonl", MAX_GOLDEN_BYTES + 1)
    assert "larger than" in reason(lambda: read_golden(path, Signature({}, {}), "m/1/warmup.jsonl"))


def test_golden_call_nested_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "warmup.jsonl").write_text("[" * 200_000)
    words = reason(lambda: read_golden(tmp_path / "warmup.jsonl", Signature({}, {}), "w.jsonl"))
    assert words.startswith("w.jsonl:1: expected ")


def test_placed_labels_over_their_size_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    sparse(tmp_path / "m/labels.yaml", MAX_YAML_BYTES + 1)
    assert "labels.yaml: larger than" in reason(lambda: read_labels(tmp_path, "m"))


def test_file_that_is_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.pb")
    assert "expected a plain file" in reason(lambda: read_file(tmp_path / "model.pb", 10, "m/1/model.pb"))
    assert "expected a plain file" in reason(lambda: read_file(Path("/dev/zero"), 10, "m/1/model.pb"))


LAUGHS = "a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 10)}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("bomb", [LAUGHS, MERGES, "a: &a [*a]\n", "a: &a {b: *a}\n"])
def test_aliases_that_stand_for_too_much_are_refused_before_they_take_memory(tmp_path: Path, bomb: str) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/labels.yaml").write_text(bomb)
    (tmp_path / "model.yaml").write_text(bomb)
    code = """
import resource, sys
from pathlib import Path
from soapsvc.errors import LoadError
from soapsvc.model.labels_file import read_labels
from soapsvc.model.manifest import read_manifest
folder = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
resource.setrlimit(resource.RLIMIT_AS, (before * 4 + 2**28,) * 2)
for read in (lambda: read_manifest(folder / "model.yaml", "model.yaml"), lambda: read_labels(folder, "m")):
    try:
        read()
    except LoadError as err:
        print(err)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    words = "not YAML: its aliases stand for more than 200000 values"
    assert done.stdout == f"model.yaml: {words}\nm/labels.yaml: {words}; the labels stay where they are\n"


def test_aliases_that_stand_for_little_are_read(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(
        "format: 1\nname: double\nsignatures: {predict: {inputs: {x: &t {tensor: 'x:0', dtype: float32}}, "
        "outputs: {y: {<<: *t, tensor: 'y:0'}}}}\n"
    )
    manifest = read_manifest(path, "model.yaml")
    assert manifest.signatures["predict"].outputs["y"].dtype == "float32"


def test_keys_by_the_ten_thousand_take_no_time(tmp_path: Path) -> None:
    """Compared pair by pair they took minutes."""
    path = tmp_path / "model.yaml"
    path.write_text("".join(f"k{number}: 1\n" for number in range(50_000)))
    assert "unknown key" in reason(lambda: read_manifest(path, "model.yaml"))
