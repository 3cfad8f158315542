"""JAX-WS stubs: the reference implementation, as jakarta and as javax, and Apache CXF. One program for all three."""

from __future__ import annotations

from collections.abc import Sequence

from interop.client import Built, Cell, Client, Verdict, Workplace
from interop.java import JAVA, Change, compile_java, copy_sources, generate, launch, need_java, to_javax
from interop.maven import class_path

_RI4, _RI2, _CXF = "4.0.5", "2.3.7", "4.1.5"
_USED = ("kinds", "kinds12", "inference", "digitreader", "chat")


def _build(place: Workplace, flavour: str, coordinates: Sequence[str], change: Change, version: str) -> Built:
    need_java()
    libraries = class_path(place.folder, coordinates)
    sources = generate(place, libraries, JAVA / flavour / "Generate.java")
    copy_sources([JAVA / "Stubs.java", JAVA / "Say.java", JAVA / flavour / "Gzip.java"], sources, change)
    classes = compile_java(place, libraries, sources, _USED)
    return Built(version, launch(classes, "Stubs"), {"wsdl": Cell(Verdict.YES)})


def _ri(version: str) -> list[str]:
    return [f"com.sun.xml.ws:jaxws-rt:{version}", f"com.sun.xml.ws:jaxws-tools:{version}"]


def _cxf(version: str) -> list[str]:
    parts = (
        "tools-wsdlto-frontend-jaxws", "tools-wsdlto-databinding-jaxb", "tools-validator", "rt-frontend-jaxws",
        "rt-transports-http", "rt-ws-addr",
    )  # fmt: skip
    return [*(f"org.apache.cxf:cxf-{part}:{version}" for part in parts), "org.slf4j:slf4j-nop:2.0.17"]


CLIENTS = (
    Client("ri4", "JAX-WS RI 4", lambda place: _build(place, "ri", _ri(_RI4), str, f"jaxws-rt {_RI4}")),
    Client("ri2", "JAX-WS RI 2.3", lambda place: _build(place, "ri", _ri(_RI2), to_javax, f"jaxws-rt {_RI2}")),
    Client("cxf", "CXF 4", lambda place: _build(place, "cxf", _cxf(_CXF), str, f"cxf {_CXF}")),
)
