"""suds (the community's), for Python."""

from __future__ import annotations

import sys
from importlib.metadata import version

from suds.client import Client as Proxy

from interop.client import PROGRAMS, Built, Cell, Client, Verdict, Workplace


def build(place: Workplace) -> Built:
    """Read every WSDL of SOAP 1.1; there is nothing to generate."""
    cells = {"wsdl": Cell(Verdict.YES)}
    for wsdl in sorted(place.wsdls.glob("*.wsdl")):
        try:
            Proxy(wsdl.as_uri(), cache=None)
        except Exception as err:
            cells["wsdl"] = Cell(Verdict.NO, f"{wsdl.name}: {err}")
    return Built(f"suds-community {version('suds-community')}", [sys.executable, PROGRAMS / "suds_client.py"], cells)


_NO_MTOM = dict.fromkeys(("mtom-in", "mtom-100", "mtom-100k", "mtom-20m"), "suds has no attachments")
CLIENT = Client(
    "suds", "suds", build,
    lacks=_NO_MTOM | {
        "soap12": "suds reads WSDLs of SOAP 1.2, and writes envelopes of SOAP 1.1 only",
        "addressing": "headers by hand only",
    },
)  # fmt: skip
