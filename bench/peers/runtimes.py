"""The floor: the iris graph in another runtime alone, called in a loop, with no server around it.

`python -m bench.peers.runtimes onnxruntime|litert FILE` answers lines as `bench.bare_calls` does. ONNX Runtime is in
our own environment, LiteRT in one beside it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bench.bare_calls import SUBJECT, answer_lines
from bench.iris import FLOWERS, REPOSITORY, SPECIES
from bench.peers.venvs import environment
from bench.subjects import Subject
from bench.workloads import CACHE
from interop.tools import run

_LITERT = ("ai-edge-litert>=2.1,<3", "numpy>=1.26,<3")
Call = Callable[[Any], Any]


def prepare(name: str, kind: str) -> Subject:
    """Convert the graph, and return how to start the loop. Raises CannotRun."""
    CACHE.mkdir(exist_ok=True)
    file = CACHE / f"iris.{kind}"
    if not file.is_file():
        run([sys.executable, "-m", "bench.peers.convert", kind, str(file)], REPOSITORY, timeout_s=300)
    program = str(environment("litert", _LITERT)) if kind == "litert" else sys.executable
    return Subject(name, ("-m", "bench.peers.runtimes", kind, str(file)), "", program)


FLOORS: dict[str, Callable[[], Subject]] = {
    "TensorFlow alone, no server": lambda: Subject("TensorFlow alone, no server", SUBJECT.arguments, ""),
    "ONNX Runtime alone, no server": partial(prepare, "ONNX Runtime alone, no server", "onnxruntime"),
    "LiteRT alone, no server": partial(prepare, "LiteRT alone, no server", "litert"),
}


def _onnxruntime(file: str) -> Call:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda row: session.run(None, {name: row})[0]


def _litert(file: str) -> Call:
    from ai_edge_litert.interpreter import Interpreter

    own = threading.local()  # an interpreter is for one thread

    def call(row: Any) -> Any:
        if not hasattr(own, "interpreter"):
            own.interpreter = Interpreter(file, num_threads=1)
            own.interpreter.allocate_tensors()
            own.input, own.output = own.interpreter.get_input_details(), own.interpreter.get_output_details()
        own.interpreter.set_tensor(own.input[0]["index"], row)
        own.interpreter.invoke()
        return own.interpreter.get_tensor(own.output[0]["index"])

    return call


def _checked(call: Call) -> Callable[[], object]:
    """Return the call of one flower, once it finds the species of each. Raises ValueError."""
    rows = [np.array([flower.values], np.float32) for flower in FLOWERS]
    for flower, row in zip(FLOWERS, rows, strict=True):
        if SPECIES[int(np.argmax(call(row)))] != flower.species:
            raise ValueError(f"expected {flower.species.decode()} first")
    return lambda: call(rows[0])


def main() -> None:
    """Answer lines until there are no more."""
    call = _checked({"onnxruntime": _onnxruntime, "litert": _litert}[sys.argv[1]](sys.argv[2]))
    answer_lines(lambda workload: call)


if __name__ == "__main__":
    main()
