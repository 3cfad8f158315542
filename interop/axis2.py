"""Apache Axis2, with its own data binding (ADB) and with JAXB."""

from __future__ import annotations

from interop.client import Built, Cell, Client, Verdict, Workplace
from interop.java import JAVA, compile_java, copy_sources, generate, launch, need_java
from interop.maven import class_path

_VERSION = "1.8.2"  # the last with its code generator on Maven Central
_PARTS = ("kernel", "adb", "adb-codegen", "codegen", "transport-http", "transport-local", "jaxbri-codegen")
_LIBRARIES = [
    *(f"org.apache.axis2:axis2-{part}:{_VERSION}" for part in _PARTS),
    f"org.apache.axis2:addressing:{_VERSION}:mar",
    "org.apache.ws.commons.axiom:axiom-jaxb:1.4.0",
]
_OPENED = ("--add-opens", "java.base/java.lang=ALL-UNNAMED")


def _build(place: Workplace, binding: str, types: str) -> Built:
    need_java()
    libraries = class_path(place.folder, _LIBRARIES)
    sources = generate(place, libraries, JAVA / "axis2" / "Generate.java", [f"-Dbinding={binding}"])
    programs = [JAVA / "axis2" / "Axis.java", JAVA / "axis2" / types / "Types.java", JAVA / "Say.java"]
    copy_sources(programs, sources, str)
    classes = compile_java(place, libraries, sources, ("kinds", "inference", "digitreader", "chat"))
    return Built(f"axis2 {_VERSION}", launch(classes, "Axis", options=_OPENED), {"wsdl": Cell(Verdict.YES)})


CLIENTS = (
    Client(
        "axis2-adb",
        "Axis2 ADB",
        lambda place: _build(place, "adb", "adb"),
        fails={
            "nan": (
                "left cannot be null",
                "ADB takes NaN for an absent number, and refuses to send it where a number is required",
            )
        },
    ),
    Client("axis2-jaxb", "Axis2 JAXB", lambda place: _build(place, "jaxbri", "jaxb")),
)
