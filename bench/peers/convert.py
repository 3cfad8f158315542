"""The iris graph in the formats of other runtimes: `python -m bench.peers.convert onnxruntime|litert FILE`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from bench.iris import MODELS, load_servable

_INPUT, _OUTPUT = "features", "probabilities"


def main() -> None:
    """Write the file, in one step."""
    kind, to = sys.argv[1], Path(sys.argv[2])
    content = _CONVERTERS[kind](MODELS / "iris" / "1" / "model.pb")
    fresh = to.with_suffix(".fresh")
    fresh.write_bytes(content)
    fresh.rename(to)


def _onnx(model: Path) -> bytes:
    from soapsvc.authoring.accelerate_convert import convert

    graph_def = tf.compat.v1.GraphDef.FromString(model.read_bytes())
    return convert(graph_def, load_servable().find_signature(None))


def _litert(model: Path) -> bytes:
    converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(
        str(model), [_INPUT], [_OUTPUT], input_shapes={_INPUT: [1, 4]}
    )
    return bytes(converter.convert())


_CONVERTERS: dict[str, Callable[[Path], bytes]] = {"onnxruntime": _onnx, "litert": _litert}


if __name__ == "__main__":
    main()
