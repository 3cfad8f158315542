"""Tries each feature with zeep and prints a line of JSON for it: `zeep_client.py URL PICTURE SCENE`."""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import zeep
from zeep.wsa import WsAddressingPlugin

URL, PICTURE, SCENE = sys.argv[1], Path(sys.argv[2]).read_bytes(), Path(sys.argv[3]).read_bytes()


class GzipTransport(zeep.Transport):
    """zeep leaves the coding of a request to its transport."""

    def post(self, address: str, message: bytes, headers: dict[str, str]) -> Any:
        return super().post(address, gzip.compress(message), {**headers, "Content-Encoding": "gzip"})


def client(feature: str, model: str = "kinds", path: str = "soap", **more: Any) -> Any:
    return zeep.Client(f"{URL}/{feature}/{path}/{model}/v1?wsdl", **more)


def service(feature: str, model: str = "kinds", path: str = "soap", **more: Any) -> Any:
    made = client(feature, model, path, **more)
    (name,) = made.wsdl.bindings
    return made.create_service(name, f"{URL}/{feature}/{path}/{model}/v1")


def instance(**changes: Any) -> dict[str, Any]:
    grid = {"dtype": "float32", "shape": {"item": [2, 3]}, "doubles": {"item": [1, 2, 3, 4, 5, 6]}}
    given = {
        "flag": True, "count": -3, "total": 2**62 + 1, "level": 200, "ratio": 0.1, "offset": None, "note": "note",
        "left": 0.25, "right": 0.75, "series": {"item": [1.5, 2.5]}, "codes": {"item": [7, 8]},
        "words": {"item": ["one", "two"]}, "grid": grid, "picture": PICTURE,
    }  # fmt: skip
    return given | changes


def check(found: Any, wanted: Any) -> None:
    if found != wanted:
        raise AssertionError(f"expected {wanted!r}, received {found!r}")


def natural() -> str:
    wanted = (
        "predict(flag: xsd:boolean, count: xsd:int, total: xsd:long, level: xsd:int, ratio: xsd:double, "
        "offset: xsd:double, note: xsd:string, left: xsd:double, right: xsd:double, series: ns0:ArrayOfDouble, "
        "codes: ns0:ArrayOfLong, words: ns0:ArrayOfString, grid: ns0:Tensor, picture: xsd:base64Binary) -> "
        "predictResult: ns0:Prediction"
    )
    (binding,) = client("natural").wsdl.bindings.values()
    check(str(binding.get("predict")), wanted.replace("predict(", "predict(", 1))
    return ""


def scalars(feature: str = "scalars", path: str = "soap") -> str:
    answer = service(feature, path=path).predict(**instance())
    check((answer.flag, answer.count, answer.total, answer.level, answer.ratio), (True, -3, 2**62 + 1, 200, 0.1))
    return ""


def optional() -> str:
    kinds = service("optional")
    check([kinds.predict(**instance(offset=offset)).shifted for offset in (None, 0.5)], [0, 1])
    return ""


def arrays() -> str:
    kinds = service("arrays")
    answer = kinds.predict(**instance(words={"item": ["one", "", "x & y"]}))
    check((answer.series.item, answer.codes.item, answer.words.item), ([1.5, 2.5], [7, 8], ["one", None, "x & y"]))
    check(kinds.predict(**instance(words={"item": []})).words, None)
    return "an empty string or an empty array comes as None"


def tensor() -> str:
    grid = service("tensor").predict(**instance()).grid
    check((grid.dtype, grid.shape.item, grid.doubles.item), ("float32", [2, 3], [1, 2, 3, 4, 5, 6]))
    return ""


def image() -> str:
    check(service("image").predict(**instance()).pixels.content, bytes(range(1, 13)))
    return ""


def text(feature: str = "text", note: str = ' <b> & "x" ]]> ') -> str:
    check(service(feature).predict(**instance(note=note)).note, note)
    return ""


def utf8() -> str:
    return text("utf8", "你好 ü 😀")


def nan() -> str:
    series = {"item": ["NaN", "INF", "-INF"]}
    answer = service("nan").predict(**instance(left="NaN", right="-INF", series=series))
    scores = {item.label: item.score for item in answer.scores.item}
    check((math.isnan(scores["left"]), scores["right"]), (True, -math.inf))
    check(list(map(str, answer.series.item)), ["nan", "inf", "-inf"])
    return "sent as text: zeep spells floats nan and inf, which XML Schema has not"


def batch() -> str:
    answers = service("batch").predictBatch({"item": [instance(), instance(offset=2)]})
    check([answer.shifted for answer in answers], [0, 4])
    return ""


def records() -> str:
    reader = service("records", "digit-reader")
    answer = reader.predict(SCENE)
    labels = "".join(found.digit.item[0].label for found in answer.digits.item)
    check((answer.text, labels, round(answer.digits.item[0].box.x)), ("173", "173", 86))
    check(reader.predict(PICTURE).digits, None)
    return "an empty list comes as None"


def conversation() -> str:
    chat = service("conversation", "chat")
    first = chat.reply(question="My name is Ada")
    second = chat.reply(first.sessionId, "What is my name?")
    check((first.sessionState, second.sessionState, second.sentence), ("started", "continued", "Your name is Ada."))
    return ""


def invalid_input(feature: str = "invalid-input", path: str = "soap", **more: Any) -> str:
    try:
        service(feature, path=path, **more).predict(**instance(level=256))
    except zeep.exceptions.Fault as fault:
        node = fault.detail[0]
        made = client(feature, path=path).get_element(node.tag)
        detail = made.parse(node, made.type)
        check((detail.code, detail.field, detail.received), ("out-of-range", "level", "256"))
        check(bool(detail.expected and detail.requestId), True)
        return "zeep has one exception; its detail parses as the typed fault"
    raise AssertionError("no fault")


def fault_of(feature: str, model: str) -> tuple[str, Any]:
    try:
        service(feature, "inference").getModel(model)
    except zeep.exceptions.Fault as fault:
        node = fault.detail[0]
        made = client(feature, "inference").get_element(node.tag)
        return node.tag.split("}")[1], made.parse(node, made.type)
    raise AssertionError("no fault")


def model_not_found() -> str:
    name, detail = fault_of("model-not-found", "nothing")
    check((name, detail.code, bool(detail.message)), ("ModelNotFound", "unknown-model", True))
    return ""


def other_faults() -> str:
    caught = {model: fault_of("other-faults", model) for model in ("full", "late", "gone", "locked")}
    check(
        [name for name, _ in caught.values()], ["Overloaded", "DeadlineExceeded", "Unavailable", "AuthenticationFailed"]
    )
    check((caught["full"][1].retryAfterSeconds, caught["gone"][1].retryAfterSeconds), (2, 2))
    check(caught["late"][1].deadlineSeconds, 1.5)
    return ""


def soap12() -> str:
    scalars("soap12", "soap12")
    invalid_input("soap12", "soap12")
    return ""


def mtom_out(size: int) -> Callable[[], str]:
    def attempt() -> str:
        transport = zeep.Transport()
        transport.session.headers["Accept"] = "multipart/related"
        tensor = {"dtype": "int32", "shape": {"item": [1]}, "content": size.to_bytes(4, "little")}
        feature = {100: "mtom-100", 100_000: "mtom-100k", 20_000_000: "mtom-20m"}[size]
        inputs = {"item": [{"name": "count", "tensor": tensor}]}
        answer = service(feature, "inference", transport=transport).predict("echo", signature="fill", inputs=inputs)
        wanted = (bytes(range(251)) * (size // 251 + 1))[:size]
        check(answer.outputs.item[0].tensor.content == wanted, True)
        return "with a header of the session: Accept: multipart/related"

    return attempt


def gzip_in() -> str:
    service("gzip-in", transport=GzipTransport()).predict(**instance())
    return "by a transport of three lines"


def gzip_out() -> str:
    numbers = {"dtype": "uint8", "shape": {"item": [1, 3000]}, "longs": {"item": [7] * 3000}}
    answer = service("gzip-out", "inference").predict("echo", inputs={"item": [{"name": "x", "tensor": numbers}]})
    check(answer.outputs.item[0].tensor.longs.item, [7] * 3000)
    return ""


def addressing() -> str:
    service("addressing", plugins=[WsAddressingPlugin()]).predict(**instance())
    invalid_input("addressing", plugins=[WsAddressingPlugin()])
    return ""


def threads() -> str:
    wrong: list[str] = []

    def call(number: int) -> None:
        kinds = service("threads")
        for total in range(number * 1000, number * 1000 + 500):
            try:
                check(kinds.predict(**instance(total=total)).total, total)
            except Exception as err:
                wrong.append(str(err))

    running = [Thread(target=call, args=(number,)) for number in range(16)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    check(wrong[:1], [])
    return ""


FEATURES: dict[str, Callable[[], str]] = {
    "natural": natural, "scalars": scalars, "optional": optional, "arrays": arrays, "tensor": tensor, "image": image,
    "text": text, "utf8": utf8, "nan": nan, "batch": batch, "records": records, "conversation": conversation,
    "invalid-input": invalid_input, "model-not-found": model_not_found, "other-faults": other_faults, "soap12": soap12,
    "mtom-100": mtom_out(100), "mtom-100k": mtom_out(100_000), "mtom-20m": mtom_out(20_000_000), "gzip-in": gzip_in,
    "gzip-out": gzip_out, "addressing": addressing, "threads": threads,
}  # fmt: skip
for name, feature in FEATURES.items():
    try:
        ok, note = True, feature()
    except Exception as err:
        ok, note = False, f"{type(err).__name__}: {err}"
    print(json.dumps({"feature": name, "ok": ok, "note": note}), flush=True)
