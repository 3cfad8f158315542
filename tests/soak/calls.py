"""The good calls: on each of the bundled models and on `adder`, in every form that messages travel in.

An answer of a bundled model must be, byte for byte, the first that its call got. `adder` multiplies by its own
version, so that an answer of two versions shows.
"""

from __future__ import annotations

import gzip
import http.client
import json
import random
import re
from base64 import b64decode
from dataclasses import dataclass, field

from soapsvc.soap.ns import SoapVersion
from tests.conftest import ROOT
from tests.soap.conftest import envelope
from tests.soap.messages import INFERENCE, tensor
from tests.soap.packages import Part, content_type, include, package, root

FLOWER = (
    "<sepalLength>5.1</sepalLength><sepalWidth>3.5</sepalWidth>"
    "<petalLength>1.4</petalLength><petalWidth>0.2</petalWidth>"
)
_PRODUCT = re.compile(rb"<product>(-?\d+)</product><modelVersion>(\d+)</modelVersion>")
ADDER_ROWS = 5


@dataclass(frozen=True)
class Request:
    """One call. headers: besides Content-Type."""

    path: str
    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, connection: http.client.HTTPConnection) -> tuple[int, bytes]:
        """Return status and body of the answer. Raises OSError or HTTPException when there is none."""
        connection.request("POST", self.path, self.body, {"Content-Type": self.content_type, **self.headers})
        response = connection.getresponse()
        return response.status, response.read()


def bundled() -> list[Request]:
    """Return calls of the bundled models, of every operation and in every form."""
    requests = []
    image = b64decode(json.loads(_golden("digits"))["inputs"]["images"][0]["b64"])
    for soap in SoapVersion:
        prefix = "/soap" if soap is SoapVersion.SOAP11 else "/soap12"
        bodies = {
            "iris": [f"<predict>{FLOWER}</predict>", "<getModelInfo/>",
                     f"<predictBatch><instances>{f'<item>{FLOWER}</item>' * 20}</instances></predictBatch>"],
            "language": ["<predict><text>Guten Morgen, 你好</text></predict>"],
        }  # fmt: skip
        for model, operations in bodies.items():
            for body in operations:
                named = re.sub(r"^<(\w+)", rf'<\1 xmlns="urn:soapsvc:{model}:v1"', body)
                requests.append(Request(f"{prefix}/{model}/v1", envelope(named, soap), soap.content_type))
        picture = f'<predict xmlns="urn:soapsvc:digits:v1"><image>{include("image")}</image></predict>'
        attached = package([root(envelope(picture, soap), soap), Part("image", image)])
        requests.append(Request(f"{prefix}/digits/v1", attached, content_type(soap)))
        packed = {"Content-Encoding": "gzip"}
        requests.append(Request(f"{prefix}/inference/v1", gzip.compress(_inference(soap)), soap.content_type, packed))
    return requests


def _golden(model: str) -> str:
    return (ROOT / "models" / model / "1/warmup.jsonl").read_text().splitlines()[0]


def _inference(soap: SoapVersion) -> bytes:
    values = tensor("float32", "2 4", "<doubles>" + "<item>1.5</item>" * 8 + "</doubles>")
    inputs = f"<item><name>features</name><tensor>{values}</tensor></item>"
    body = f'<predict xmlns="{INFERENCE}"><modelName>iris</modelName><inputs>{inputs}</inputs></predict>'
    return envelope(body, soap)


def adder(numbers: list[int], where: str = "") -> Request:
    """Return a call of `adder`. where: what its path ends with."""
    rows = "".join(f"<item><x>{number}</x></item>" for number in numbers)
    body = f'<predictBatch xmlns="urn:soapsvc:adder:v1"><instances>{rows}</instances></predictBatch>'
    return Request(f"/soap/adder/v1{where}", envelope(body), "text/xml")


def adder_version(numbers: list[int], answer: bytes) -> int:
    """Return the version that computed an answer of `adder`; fail unless one version computed all of it."""
    found = [(int(product), int(version)) for product, version in _PRODUCT.findall(answer)]
    versions = {version for _, version in found}
    assert len(found) == len(numbers), answer.decode()
    assert len(versions) == 1, answer.decode()
    (version,) = versions
    assert [product for product, _ in found] == [number * version for number in numbers], answer.decode()
    return version


def some_numbers(chance: random.Random) -> list[int]:
    return [chance.randrange(-(10**9), 10**9) for _ in range(ADDER_ROWS)]
