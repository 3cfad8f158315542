"""`python -m bench.pipelines`: what a pipeline costs over its models and functions called in Python.

Both ways run in this process, call by call in turn, so that a busy machine meets both alike. Needs the models that
`make example-faces` writes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from bench.report import surroundings, table
from soapsvc.model.golden import read_golden
from soapsvc.model.loader import load
from soapsvc.model.manager import ModelManager
from soapsvc.model.pipeline_build import FolderCode
from soapsvc.model.servable import Servable
from soapsvc.model.source import VersionFolder, find_versions
from soapsvc.model.step_functions import Function, library
from soapsvc.model.value_types import Items, ValueType

_HEADINGS = ("way", "ms", "/ direct", "processor ms", "/ direct")


def main() -> int:
    """Measure and print; return 1 without models or where the answers differ."""
    parser = argparse.ArgumentParser(prog="python -m bench.pipelines", description=__doc__)
    parser.add_argument("--models", type=Path, default=Path(".faces/models"), help="folder that example-faces wrote")
    parser.add_argument("--calls", type=int, default=60, help="calls of each way (default 60)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    if not (options.models / "faces/1").is_dir():
        print(f"{options.models} has no pipeline faces: make example-faces", file=sys.stderr)
        return 1
    manager, folder = _manager(options.models)
    image = _image(manager, folder)
    direct = _Direct(manager, folder)
    wanted, found = direct(image), _through_pipeline(manager, image)
    if not all(np.array_equal(wanted[name], found[name]) for name in found):
        print("the two ways answer differently", file=sys.stderr)
        return 1
    ways = {"direct": direct, "pipeline": lambda image: _through_pipeline(manager, image)}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(options.calls):
        for name, call in ways.items():
            began, used = time.perf_counter(), time.process_time()
            call(image)
            taken[name].append((time.perf_counter() - began, time.process_time() - used))
    print(surroundings())
    print()
    print(table(_HEADINGS, [_row(name, taken) for name in ways], options.markdown))
    return 0


def _row(name: str, taken: dict[str, list[tuple[float, float]]]) -> tuple[str, ...]:
    cells = []
    for index in (0, 1):  # elapsed, of all threads
        own, direct = (statistics.median(each[index] for each in taken[way]) for way in (name, "direct"))
        cells += [f"{own * 1000:.1f}", f"{own / direct:.3f}"]
    return name, *cells


def _manager(models: Path) -> tuple[ModelManager, VersionFolder]:
    folders = sorted(find_versions(models), key=lambda folder: folder.name == "faces")
    manager = ModelManager(lambda folder: load(folder, pipeline_code=("faces",), lender=manager))
    manager.load_all(folders, lambda _: None)
    return manager, folders[-1]


def _image(manager: ModelManager, folder: VersionFolder) -> Any:
    with manager.handle("faces") as servable:
        signature = servable.find_signature(None)
    return read_golden(folder.file("warmup.jsonl"), signature, "warmup.jsonl")[0].inputs["image"]


def _through_pipeline(manager: ModelManager, image: Any) -> dict[str, Any]:
    with manager.handle("faces") as servable:
        return servable.run(servable.find_signature(None), {"image": image})


class _Direct:
    """The same work as a Python program would do it, without checks, one step after the other."""

    def __init__(self, manager: ModelManager, folder: VersionFolder) -> None:
        self._manager, self._library, self._code = manager, library(), FolderCode(folder, ("faces",))

    def __call__(self, image: Any) -> dict[str, Any]:
        own, decode, crops = self._own, self._library["decode_image"].run, self._library["crop_resized"].run
        picture = decode(image, channels=3)
        normal = own("normal").run(picture)
        levels, scales = own("pyramid").run(normal)
        answers = [self._net("mtcnn-pnet", patches=level[np.newaxis]) for level in levels]
        offsets, scores = (_list([each[name][0] for each in answers]) for name in ("offsets", "scores"))
        found, boxes = own("propose").run(offsets, scores, scales)
        second = self._net("mtcnn-rnet", patches=crops(normal, boxes, height=24, width=24))
        found, boxes = own("refine").run(found, second["offsets"], second["scores"])
        third = self._net("mtcnn-onet", patches=crops(normal, boxes, height=48, width=48))
        boxes, points, scores = own("judge").run(found, third["offsets"], third["landmarks"], third["scores"], picture)
        faces = crops(decode(image, channels=1), own("around").run(boxes), height=64, width=64)
        even = self._library["scale"].run(faces, factor=2 / 255, offset=-1.0)
        emotions = self._net("fer", faces=even)["emotions"]
        return {"boxes": boxes, "scores": scores, "points": points, "emotions": emotions}

    def _own(self, name: str) -> Function:
        return self._code.find("functions.py", name)

    def _net(self, name: str, **inputs: Any) -> dict[str, Any]:
        with self._manager.handle(name) as servable:
            return _run(servable, inputs)


def _run(servable: Servable, inputs: dict[str, Any]) -> dict[str, Any]:
    return servable.run(servable.find_signature(None), inputs)


def _list(arrays: list[Any]) -> Items:
    return Items(ValueType("float32", None), arrays)


if __name__ == "__main__":
    sys.exit(main())
