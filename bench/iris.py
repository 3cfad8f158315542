"""The one call that every subject answers: its request, what a right answer says, and the model behind it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.exchange import Exchange, post

if TYPE_CHECKING:
    from soapsvc.model.servable import Servable

REPOSITORY = Path(__file__).resolve().parent.parent
MODELS = REPOSITORY / "models"
PATH = "/soap/iris/v1"
NAMESPACE = "urn:soapsvc:iris:v1"
COLUMNS = ("sepalLength", "sepalWidth", "petalLength", "petalWidth")
SPECIES = (b"setosa", b"versicolor", b"virginica")


@dataclass(frozen=True)
class Flower:
    """Four measurements in centimetres, and the species that the model gives the highest score."""

    values: tuple[str, str, str, str]
    species: bytes


FLOWERS = (
    Flower(("5.1", "3.5", "1.4", "0.2"), b"setosa"),
    Flower(("5.9", "3.0", "4.2", "1.5"), b"versicolor"),
    Flower(("7.2", "3.6", "6.1", "2.5"), b"virginica"),
)


def envelope(flower: Flower) -> bytes:
    """Return the SOAP 1.1 message that a Java client would send for a flower."""
    cells = "".join(f"<{name}>{value}</{name}>" for name, value in zip(COLUMNS, flower.values, strict=True))
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<soap:Body><predict xmlns="{NAMESPACE}">{cells}</predict></soap:Body></soap:Envelope>'
    ).encode()


def exchanges() -> list[Exchange]:
    """Return a call of predict for each flower."""
    return [_exchange(flower, "text/xml; charset=utf-8", PATH, envelope(flower)) for flower in FLOWERS]


def rest_exchanges() -> list[Exchange]:
    """Return the same calls in the Open Inference Protocol, as MLServer reads them."""
    calls = []
    for flower in FLOWERS:
        row = [float(value) for value in flower.values]
        tensor = {"name": "features", "shape": [1, len(row)], "datatype": "FP32", "data": row}
        body = json.dumps({"inputs": [tensor]}).encode()
        calls.append(_exchange(flower, "application/json", "/v2/models/iris/infer", body))
    return calls


def _exchange(flower: Flower, content_type: str, path: str, body: bytes) -> Exchange:
    action = f"{NAMESPACE}:predict" if path == PATH else ""
    right = partial(names_species, species=flower.species)
    return Exchange(post(path, content_type, body, action), f"{flower.species.decode()} first", right)


def names_species(body: bytes, species: bytes) -> bool:
    """Whether an answer lists all species, this one first: every subject sorts them by score."""
    places = {name: body.find(name) for name in SPECIES}
    return min(places.values()) >= 0 and min(places, key=places.__getitem__) == species


def load_servable() -> Servable:
    """Return the bundled model through the product's own loader, as every subject runs the same graph."""
    from soapsvc.model.loader import load  # imports TensorFlow: only a server needs it
    from soapsvc.model.source import find_versions

    return load(next(folder for folder in find_versions(MODELS) if folder.name == "iris"))
