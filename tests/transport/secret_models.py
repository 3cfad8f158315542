"""Writes two models whose input `text` is sensitive, and that fail on it: `secret_models.py MODELS`.

`number` has a graph that refuses what is no number, in words that quote it; `shout` is a pipeline whose code raises.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.model.folders import graph_bytes, write_version

_CONTRACT = {"inputs": {"text": {"sensitive": True}}}
NUMBER: dict[str, Any] = {
    "format": 1,
    "name": "number",
    "signatures": {
        "predict": {
            "inputs": {"text": {"tensor": "text:0", "dtype": "string", "shape": ["batch"]}},
            "outputs": {"y": {"tensor": "y:0", "dtype": "float32", "shape": ["batch"]}},
        }
    },
    "contract": _CONTRACT,
}
SHOUT: dict[str, Any] = {
    "format": 1,
    "name": "shout",
    "steps": {"loud": {"function": "functions.py:loud", "inputs": {"text": "text"}}},
    "signatures": {
        "predict": {
            "inputs": {"text": {"tensor": "text", "dtype": "string", "shape": ["batch"]}},
            "outputs": {"y": {"tensor": "loud.y", "dtype": "float32", "shape": ["batch"]}},
        }
    },
    "contract": _CONTRACT,
}
FUNCTIONS = """
from soapsvc.model.step_functions import function

@function({"text": "string[batch]"}, {"y": "float32[batch]"})
def loud(text):
    try:
        return float(text[0])
    except ValueError as err:
        raise KeyError(text[0]) from err
"""


def _number(v1: Any) -> None:
    v1.strings.to_number(v1.placeholder("string", [None], name="text"), name="y")


def write(models: Path) -> None:
    """Write both models into a folder."""
    write_version(models, NUMBER, graph_bytes(_number))
    shout = write_version(models, SHOUT, b"")
    (shout.path / "model.pb").unlink()
    (shout.path / "functions.py").write_text(FUNCTIONS)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
