"""The model `adder`: each version multiplies by its own number, and a batch of calls shows which did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.model.folders import graph_bytes

MANIFEST = """
format: 1
name: adder
signatures:
  predict:
    inputs:
      x: {tensor: "x:0", dtype: int64, shape: [batch]}
    outputs:
      product: {tensor: "product:0", dtype: int64, shape: [batch]}
"""


def multiplying(version: int) -> bytes:
    """Return a graph that multiplies by a version."""

    def build(v1: Any) -> None:
        v1.multiply(v1.placeholder("int64", [None], name="x"), v1.constant(version, "int64"), name="product")

    return graph_bytes(build)


def publish(models: Path, version: int) -> None:
    """Publish a version as an operator should: written beside, then renamed."""
    fresh = models / "adder" / f".{version}"
    fresh.mkdir(parents=True)
    (fresh / "model.pb").write_bytes(multiplying(version))
    (fresh / "model.yaml").write_text(MANIFEST)
    fresh.rename(models / "adder" / str(version))
