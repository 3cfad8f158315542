"""The one call that every subject answers: its request, what a right answer says, and the model behind it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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


def http_request(flower: Flower) -> bytes:
    """Return the whole HTTP request, headers and all."""
    body = envelope(flower)
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\n"
        f'SOAPAction: "{NAMESPACE}:predict"\r\nContent-Length: {len(body)}\r\n\r\n'
    )
    return head.encode() + body


def names_species(body: bytes, species: bytes) -> bool:
    """Whether an answer lists all species, this one first: every subject sorts them by score."""
    places = {name: body.find(name) for name in SPECIES}
    return min(places.values()) >= 0 and min(places, key=places.__getitem__) == species


def load_servable() -> Servable:
    """Return the bundled model through the product's own loader, as every subject runs the same graph."""
    from soapsvc.model.loader import load  # imports TensorFlow: only a server needs it
    from soapsvc.model.source import find_versions

    return load(next(folder for folder in find_versions(MODELS) if folder.name == "iris"))
