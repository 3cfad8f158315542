"""Versions are tried in a real process of its own, which a graph may end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from soapsvc.model.trial import try_versions
from tests.model.folders import DOUBLE, GOLDEN, changed, graph_bytes, jsonl, write_version


def aborting(v1: Any) -> None:
    """Build a graph of allowed ops that ends the process: TensorFlow meets a dtype that it did not foresee."""
    import tensorflow as tf

    x = v1.placeholder("float32", [None, 2], name="x")
    table = tf.raw_ops.MutableHashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
    passed = tf.raw_ops.IdentityN(input=[table])[0]
    size = v1.size(tf.raw_ops.LookupTableExportV2(table_handle=passed, Tkeys=tf.int64, Tvalues=tf.float32)[0])
    v1.multiply(x, v1.cast(size, "float32"), name="y")


def test_versions_that_end_the_process_are_named_and_the_others_are_tried(models: Path, double: bytes) -> None:
    manifest = changed(DOUBLE, "warmup", {})
    good, last = (write_version(models, manifest, double, version=n, warmup=jsonl(GOLDEN)) for n in (1, 5))
    first, second = (
        write_version(models, manifest, graph_bytes(aborting), version=n, warmup=jsonl(GOLDEN)) for n in (2, 4)
    )
    junk = write_version(models, manifest, b"junk", version=3, warmup=jsonl(GOLDEN))
    reasons = try_versions([good, first, junk, second, last], (), 300.0)
    ended = "ends the process that loads it (SIGABRT), as the trial process showed; the log has more"
    assert reasons == {first: ended, second: ended, junk: reasons[junk]}
    assert reasons[junk].startswith("double/3/model.pb: not a frozen GraphDef")


def test_version_that_takes_too_long_is_named(models: Path, double: bytes) -> None:
    folder = write_version(models, DOUBLE, double)
    assert try_versions([folder], (), 0.1) == {folder: "takes longer than 0.1 s to load in the trial process"}


def test_trial_that_cannot_start_is_told(models: Path, double: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_version(models, DOUBLE, double)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    reasons = try_versions([folder], (), 300.0)
    assert reasons == {folder: "can't be tried: the trial process did not start; the log has more"}
