"""The test model `echo`: a signature for each dtype that gives back a tensor of any shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import yaml

from soapsvc.model.dtypes import DTypeName
from tests.model.folders import graph_bytes

DTYPES: tuple[DTypeName, ...] = get_args(DTypeName)


def build_echo(folder: Path) -> None:
    """Write the model's version folder, as models/echo/1. The signature of the typed contract is that of float32."""
    folder.mkdir(parents=True)
    signatures = {("predict" if dtype == "float32" else dtype): _signature(dtype) for dtype in DTYPES}
    manifest = {"format": 1, "name": "echo", "signatures": signatures}
    (folder / "model.yaml").write_text(yaml.safe_dump(manifest))
    (folder / "model.pb").write_bytes(graph_bytes(_graph))


def _signature(dtype: DTypeName) -> dict[str, Any]:
    return {
        "inputs": {"x": {"tensor": f"{dtype}:0", "dtype": dtype}},
        "outputs": {"y": {"tensor": f"{dtype}_out:0", "dtype": dtype}},
    }


def _graph(v1: Any) -> None:
    for dtype in DTYPES:
        v1.identity(v1.placeholder(dtype, None, name=dtype), name=f"{dtype}_out")
