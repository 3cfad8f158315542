"""zeep, for Python."""

from __future__ import annotations

import sys
from importlib.metadata import version

import zeep

from interop.client import PROGRAMS, Built, Cell, Client, Verdict, Workplace


def build(place: Workplace) -> Built:
    """Read every WSDL; there is nothing to generate."""
    cells = {"wsdl": Cell(Verdict.YES)}
    for wsdl in sorted(place.wsdls.glob("*.wsdl")):
        try:
            zeep.Client(str(wsdl))
        except Exception as err:
            cells["wsdl"] = Cell(Verdict.NO, f"{wsdl.name}: {err}")
    return Built(f"zeep {version('zeep')}", [sys.executable, PROGRAMS / "zeep_client.py"], cells)


CLIENT = Client("zeep", "zeep", build, lacks={"mtom-in": "zeep reads attachments and sends none"})
