"""What is asked of the servers: for each workload its model, its requests, and the check of an answer."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench import grpc_calls, iris
from bench.exchange import Exchange, first_label, post
from bench.iris import FLOWERS, MODELS, REPOSITORY
from bench.messages import PIXELS, Message, as_base64, attached, content, inline, numbers, predict, tensor

ROWS = 1000
CACHE = REPOSITORY / ".bench"  # what a run makes and the next one needs again; not in git
LARGE_MODELS = CACHE / "models"
HEAVY_MODELS = CACHE / "heavy-models"
MOBILENET = CACHE / "mobilenet.npz"
_SINGLE, _LABEL = re.compile(rb"<(?:\w+:)?answer>([^<]+)<"), re.compile(rb"<(?:\w+:)?label>(\w+)<")
Feeds = Mapping[str, Any]


@dataclass(frozen=True)
class Workload:
    """One kind of call.

    models: the folder with the model. exchanges: makes the requests, which take turns. feeds: makes what the first of
    them puts into the graph. connections: at which it is measured beside the other workloads.
    """

    title: str
    model: str
    models: Path
    exchanges: Callable[[], list[Exchange]]
    feeds: Callable[[], Feeds]
    connections: int = 8


def _iris_feeds() -> Feeds:
    return {"features": np.array([FLOWERS[0].values], np.float32)}


def _batch() -> list[Exchange]:
    cells = [
        "".join(f"<{name}>{value}</{name}>" for name, value in zip(iris.COLUMNS, flower.values, strict=True))
        for flower in FLOWERS
    ]
    rows = "".join(f"<item>{cells[row % len(cells)]}</item>" for row in range(ROWS))
    body = f'<predictBatch xmlns="{iris.NAMESPACE}"><instances>{rows}</instances></predictBatch>'
    best = [FLOWERS[row % len(FLOWERS)].species for row in range(ROWS)]
    message = inline("iris batch", "iris", 0, body)
    expected = f"{ROWS} rows with the right species first"
    return [_exchange(message, expected, lambda answer: _LABEL.findall(answer)[::3] == best, "predictBatch")]


def _batch_feeds() -> Feeds:
    return {"features": np.array([FLOWERS[row % len(FLOWERS)].values for row in range(ROWS)], np.float32)}


def _golden(model: str) -> list[tuple[Any, str]]:
    """Return input and best label of each recorded call of a bundled model."""
    folder = MODELS / model / "1"
    labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    calls = []
    for line in (folder / "warmup.jsonl").read_text(encoding="utf-8").splitlines():
        call = json.loads(line)
        (values,), (scores,) = call["inputs"].values(), call["outputs"].values()
        calls.append((values[0], labels[int(np.argmax(scores[0]))]))
    return calls


def _digits() -> list[tuple[bytes, str]]:
    return [(base64.b64decode(value["b64"]), label) for value, label in _golden("digits")]


def _digits_base64() -> list[Exchange]:
    return [
        _labelled(inline("digits", "digits", len(png), predict("digits", "image", as_base64(png))), label)
        for png, label in _digits()
    ]


def _digits_mtom() -> list[Exchange]:
    return [
        _labelled(attached("digits", "digits", png, lambda xop: predict("digits", "image", xop)), label)
        for png, label in _digits()
    ]


def _language() -> list[Exchange]:
    return [
        _labelled(inline("language", "language", 0, predict("language", "text", _escape(text))), label)
        for text, label in _golden("language")
        if text.strip()
    ]


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@cache
def _pixels() -> np.ndarray:
    return np.random.default_rng(1).random(PIXELS, dtype=np.float32)


def _weights() -> list[Exchange]:
    return _mean(attached("weights", "weights", _pixels().tobytes(), lambda xop: _tensor("weights", content(xop))))


def _mean(message: Message) -> list[Exchange]:
    """Return the call whose answer is the mean of the pixels."""
    mean = float(_pixels().mean(dtype=np.float64))

    def is_right(answer: bytes) -> bool:
        found = _SINGLE.search(answer)
        return found is not None and abs(float(found[1]) - mean) < 1e-4

    return [_exchange(message, f"the mean {mean:.5f}", is_right)]


def _tensor_mtom() -> list[Exchange]:
    body = attached("tensor", "pixels", _pixels().tobytes(), lambda xop: _tensor("pixels", content(xop)))
    return _mean(body)


def _tensor_base64() -> list[Exchange]:
    return _mean(inline("tensor", "pixels", 0, _tensor("pixels", content(as_base64(_pixels().tobytes())))))


def _tensor_numbers() -> list[Exchange]:
    return _mean(inline("tensor", "pixels", 0, _tensor("pixels", numbers(_pixels()))))


def _tensor(model: str, carrier: str) -> str:
    return predict(model, "pixels", tensor(PIXELS, carrier))


def _mobilenet() -> list[Exchange]:
    with np.load(MOBILENET) as kept:
        pixels, best = kept["pixels"], "|".join(kept["best"])  # close scores may change places
    message = attached("mobilenet", "mobilenet", pixels.tobytes(), lambda xop: _tensor("mobilenet", content(xop)))
    return [_labelled(message, best)]


def _mobilenet_feeds() -> Feeds:
    with np.load(MOBILENET) as kept:
        return {"pixels": kept["pixels"]}


def _labelled(message: Message, label: str) -> Exchange:
    return _exchange(message, f"the label {label} first", first_label(label))


def _exchange(message: Message, expected: str, right: Callable[[bytes], bool], operation: str = "predict") -> Exchange:
    model = message.path.split("/")[2]
    request = post(message.path, message.content_type, message.body, f"urn:soapsvc:{model}:v1:{operation}")
    return Exchange(request, expected, right)


def _digits_feeds() -> Feeds:
    return {"images": np.array([_digits()[0][0]], dtype=object)}


def _language_feeds() -> Feeds:
    return {"text": np.array([_golden("language")[0][0].encode()], dtype=object)}


def _pixel_feeds() -> Feeds:
    return {"pixels": _pixels()[None]}


APART = (
    "iris",
    "iris-rest",
    "iris-grpc",
    "weights",
)  # put to rivals, or measured for memory, not beside the other workloads
WORKLOADS = {
    "iris": Workload("iris predict", "iris", MODELS, iris.exchanges, _iris_feeds),
    "iris-rest": Workload("iris predict, REST", "iris", MODELS, iris.rest_exchanges, _iris_feeds),
    "iris-grpc": Workload("iris predict, gRPC", "iris", MODELS, grpc_calls.exchanges, _iris_feeds),
    "iris-batch": Workload(f"iris batch of {ROWS:,} rows", "iris", MODELS, _batch, _batch_feeds),
    "digits-base64": Workload("digits PNG, base64", "digits", MODELS, _digits_base64, _digits_feeds),
    "digits-mtom": Workload("digits PNG, MTOM", "digits", MODELS, _digits_mtom, _digits_feeds),
    "language": Workload("language text", "language", MODELS, _language, _language_feeds),
    "tensor-mtom": Workload("224x224x3 float32, MTOM", "pixels", LARGE_MODELS, _tensor_mtom, _pixel_feeds),
    "tensor-base64": Workload("224x224x3 float32, base64", "pixels", LARGE_MODELS, _tensor_base64, _pixel_feeds),
    "tensor-numbers": Workload("150,528 elements", "pixels", LARGE_MODELS, _tensor_numbers, _pixel_feeds, 1),
    "weights": Workload("57 MB of weights", "weights", HEAVY_MODELS, _weights, _pixel_feeds),
    "mobilenet": Workload("MobileNetV2", "mobilenet", LARGE_MODELS, _mobilenet, _mobilenet_feeds, 2),
}
