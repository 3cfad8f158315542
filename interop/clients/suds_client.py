"""Tries each feature with suds and prints a line of JSON for it: `suds_client.py URL PICTURE SCENE`."""

from __future__ import annotations

import base64
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import suds
from suds.client import Client

URL = sys.argv[1]
PICTURE, SCENE = (base64.b64encode(Path(path).read_bytes()).decode() for path in sys.argv[2:4])


def client(feature: str, model: str = "kinds", **more: Any) -> Client:
    address = f"{URL}/{feature}/soap/{model}/v1"
    return Client(f"{address}?wsdl", location=address, cache=None, **more)


def instance(**changes: Any) -> dict[str, Any]:
    grid = {"dtype": "float32", "shape": {"item": [2, 3]}, "doubles": {"item": [1, 2, 3, 4, 5, 6]}}
    given = {
        "flag": True, "count": -3, "total": 2**62 + 1, "level": 200, "ratio": 0.1, "offset": suds.null(),
        "note": "note", "left": 0.25, "right": 0.75, "series": {"item": [1.5, 2.5]}, "codes": {"item": [7, 8]},
        "words": {"item": ["one", "", "x & y"]}, "grid": grid, "picture": PICTURE,
    }  # fmt: skip
    return given | changes


def check(found: Any, wanted: Any) -> None:
    if found != wanted:
        raise AssertionError(f"expected {wanted!r}, received {found!r}")


def natural() -> str:
    port = client("natural").sd[0].ports[0]
    (parameters,) = [parameters for name, parameters in port[1] if name == "predict"]
    types = [(name, kind.resolve().name) for name, kind, *_ in parameters]
    check(
        types,
        [
            ("flag", "boolean"), ("count", "int"), ("total", "long"), ("level", "int"), ("ratio", "double"),
            ("offset", "double"), ("note", "string"), ("left", "double"), ("right", "double"),
            ("series", "ArrayOfDouble"), ("codes", "ArrayOfLong"), ("words", "ArrayOfString"), ("grid", "Tensor"),
            ("picture", "base64Binary"),
        ],
    )  # fmt: skip
    return ""


def scalars(kinds: Client | None = None) -> str:
    answer = (kinds or client("scalars")).service.predict(**instance())
    check((answer.flag, answer.count, answer.total, answer.level, answer.ratio), (True, -3, 2**62 + 1, 200, 0.1))
    return ""


def optional() -> str:
    kinds = client("optional").service
    check([kinds.predict(**instance(offset=offset)).shifted for offset in (suds.null(), 0.5)], [0, 1])
    return "null is suds.null(); None leaves the element out"


def arrays() -> str:
    kinds = client("arrays").service
    answer = kinds.predict(**instance())
    check((answer.series.item, answer.codes.item), ([1.5, 2.5], [7, 8]))
    check([word or "" for word in answer.words.item], ["one", "", "x & y"])
    empty = kinds.predict(**instance(words={"item": []})).words
    check(empty or None, None)
    return "an empty array comes as an empty string"


def tensor() -> str:
    grid = client("tensor").service.predict(**instance()).grid
    check((grid.dtype, grid.shape.item, grid.doubles.item), ("float32", [2, 3], [1, 2, 3, 4, 5, 6]))
    return ""


def image() -> str:
    content = client("image").service.predict(**instance()).pixels.content
    check(base64.b64decode(content), bytes(range(1, 13)))
    return "base64Binary is text: the caller encodes and decodes"


def text(feature: str, note: str) -> Callable[[], str]:
    def attempt() -> str:
        check(str(client(feature).service.predict(**instance(note=note)).note), note)
        return ""

    return attempt


def nan() -> str:
    series = {"item": ["NaN", "INF", "-INF"]}
    answer = client("nan").service.predict(**instance(left="NaN", right="-INF", series=series))
    scores = {item.label: item.score for item in answer.scores.item}
    check((math.isnan(scores["left"]), scores["right"]), (True, -math.inf))
    check(list(map(str, answer.series.item)), ["nan", "inf", "-inf"])
    return "sent as text: suds spells floats nan and inf, which XML Schema has not"


def batch() -> str:
    answers = client("batch").service.predictBatch({"item": [instance(), instance(offset=2)]})
    check([answer.shifted for answer in answers.item], [0, 4])
    return ""


def records() -> str:
    reader = client("records", "digit-reader").service
    answer = reader.predict(SCENE)
    labels = "".join(found.digit.item[0].label for found in answer.digits.item)
    check((answer.text, labels, round(answer.digits.item[0].box.x)), ("173", "173", 86))
    check(reader.predict(PICTURE).digits or None, None)
    return "an empty list comes as an empty string"


def conversation() -> str:
    chat = client("conversation", "chat").service
    first = chat.reply(question="My name is Ada")
    second = chat.reply(first.sessionId, "What is my name?")
    check((first.sessionState, second.sessionState, second.sentence), ("started", "continued", "Your name is Ada."))
    return ""


def invalid_input() -> str:
    try:
        client("invalid-input").service.predict(**instance(level=256))
    except suds.WebFault as error:
        fault = error.fault.detail.InvalidInput
        check((fault.code, fault.field, str(fault.received)), ("out-of-range", "level", "256"))
        check(bool(fault.expected and fault.requestId), True)
        return "one exception, WebFault; its detail names the type"
    raise AssertionError("no fault")


def fault_of(feature: str, model: str) -> Any:
    try:
        client(feature, "inference").service.getModel(model, suds.null())
    except suds.WebFault as error:
        return error.fault.detail
    raise AssertionError("no fault")


def model_not_found() -> str:
    check(fault_of("model-not-found", "nothing").ModelNotFound.code, "unknown-model")
    return ""


def other_faults() -> str:
    check(int(fault_of("other-faults", "full").Overloaded.retryAfterSeconds), 2)
    check(float(fault_of("other-faults", "late").DeadlineExceeded.deadlineSeconds), 1.5)
    check(int(fault_of("other-faults", "gone").Unavailable.retryAfterSeconds), 2)
    check(fault_of("other-faults", "locked").AuthenticationFailed.code, "authentication-failed")
    return ""


def gzip_in() -> str:
    scalars(client("gzip-in", headers={"Content-Encoding": "gzip"}))
    return "by its header: headers={'Content-Encoding': 'gzip'}"


def gzip_out() -> str:
    numbers = {"dtype": "uint8", "shape": {"item": [1, 3000]}, "longs": {"item": [7] * 3000}}
    proxy = client("gzip-out", "inference")
    proxy.set_options(headers={"Accept-Encoding": "gzip"})
    inputs = {"item": [{"name": "x", "tensor": numbers}]}
    answer = proxy.service.predict(modelName="echo", version=suds.null(), inputs=inputs)
    check(answer.outputs.item[0].tensor.longs.item, [7] * 3000)
    return "by set_options(headers={'Accept-Encoding': 'gzip'}), after the WSDL was read: suds inflates no WSDL"


def threads() -> str:
    wrong: list[str] = []

    def call(number: int, kinds: Client) -> None:
        for total in range(number * 1000, number * 1000 + 500):
            try:
                check(kinds.service.predict(**instance(total=total)).total, total)
            except Exception as err:
                wrong.append(str(err))

    running = [Thread(target=call, args=(number, client("threads"))) for number in range(16)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    check(wrong[:1], [])
    return ""


FEATURES: dict[str, Callable[[], str]] = {
    "natural": natural, "scalars": scalars, "optional": optional, "arrays": arrays, "tensor": tensor, "image": image,
    "text": text("text", ' <b> & "x" ]]> '), "utf8": text("utf8", "你好 ü 😀"), "nan": nan, "batch": batch,
    "records": records, "conversation": conversation,
    "invalid-input": invalid_input, "model-not-found": model_not_found, "other-faults": other_faults,
    "gzip-in": gzip_in, "gzip-out": gzip_out,
    "threads": threads,
}  # fmt: skip
for name, feature in FEATURES.items():
    try:
        ok, note = True, feature()
    except Exception as err:
        ok, note = False, f"{type(err).__name__}: {err}"
    print(json.dumps({"feature": name, "ok": ok, "note": note}), flush=True)
