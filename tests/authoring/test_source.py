"""What a path is recognised as, whichever of a model's files it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from soapsvc.authoring.source import SourceError, SourceKind, find_source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One of each kind, by names alone: nothing here looks inside a file."""
    for name in (
        "with_graph-10.meta", "with_graph-10.index", "with_graph-10.data-00000-of-00001", "bare.index",
        "bare.data-00000-of-00001", "lost.meta", "model.keras", "model.H5", "old.hdf5", "frozen.pb", "frozen.pbtxt",
        "notes.txt", "saved/saved_model.pb", "served/model.yaml", "one/ckpt-1.index", "several/ckpt-1.index",
        "several/ckpt-2.index", "empty/notes.txt", "nameless/.index", "nameless/.meta",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("given", "kind", "taken"),
    [
        ("with_graph-10", SourceKind.META_GRAPH, "with_graph-10"),
        ("with_graph-10.meta", SourceKind.META_GRAPH, "with_graph-10"),
        ("with_graph-10.index", SourceKind.META_GRAPH, "with_graph-10"),
        ("with_graph-10.data-00000-of-00001", SourceKind.META_GRAPH, "with_graph-10"),
        ("bare", SourceKind.CHECKPOINT, "bare"),
        ("model.keras", SourceKind.KERAS, "model.keras"),
        ("model.H5", SourceKind.KERAS_H5, "model.H5"),
        ("old.hdf5", SourceKind.KERAS_H5, "old.hdf5"),
        ("frozen.pb", SourceKind.FROZEN_GRAPH, "frozen.pb"),
        ("frozen.pbtxt", SourceKind.TEXT_GRAPH, "frozen.pbtxt"),
        ("saved", SourceKind.SAVED_MODEL, "saved"),
        ("saved/saved_model.pb", SourceKind.SAVED_MODEL, "saved"),
        ("served", SourceKind.MODEL_FOLDER, "served"),
        ("served/model.yaml", SourceKind.MODEL_FOLDER, "served"),
        ("one", SourceKind.CHECKPOINT, "one/ckpt-1"),
        ("nameless/.meta", SourceKind.META_GRAPH, "nameless"),
    ],
)
def test_source_is_recognised_by_any_of_its_files(folder: Path, given: str, kind: SourceKind, taken: str) -> None:
    source = find_source(folder / given)
    assert (source.kind, source.path) == (kind, folder / taken)
    assert bool(source.note) == (given != taken), "what was taken instead is told"


def test_checkpoint_saved_under_a_folders_name_has_a_prefix_with_a_slash(folder: Path) -> None:
    source = find_source(folder / "nameless")
    assert source.prefix == f"{folder}/nameless/"
    assert source.parts() == [folder / "nameless/.index", folder / "nameless/.meta"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nothing", "there is no"),
        ("notes.txt", "unknown kind of file; expected .keras, .h5, .hdf5, .pb, .pbtxt"),
        ("lost.meta", r"expected lost\.index beside it"),
        ("several", r"several checkpoints: ckpt-1, ckpt-2; name one, as .*several/ckpt-2"),
        ("empty", "expected a SavedModel"),
    ],
)
def test_source_that_is_none_says_what_was_expected(folder: Path, given: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        find_source(folder / given)
