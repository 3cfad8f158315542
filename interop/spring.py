"""Spring Web Services: WebServiceTemplate with classes that xjc makes of the schema."""

from __future__ import annotations

from interop.client import Built, Cell, Client, Verdict, Workplace
from interop.java import JAVA, compile_java, copy_sources, generate, launch, need_java
from interop.maven import class_path

_VERSION = "4.1.3"
_LIBRARIES = (
    f"org.springframework.ws:spring-ws-core:{_VERSION}", "org.springframework:spring-oxm:6.2.12",
    "org.glassfish.jaxb:jaxb-runtime:4.0.5", "org.glassfish.jaxb:jaxb-xjc:4.0.5",
    "com.sun.xml.messaging.saaj:saaj-impl:3.0.4", "org.slf4j:slf4j-nop:2.0.17",
)  # fmt: skip


def build(place: Workplace) -> Built:
    """Make and compile the classes of each WSDL's schema."""
    need_java()
    libraries = class_path(place.folder, _LIBRARIES)
    sources = generate(place, libraries, JAVA / "spring" / "Generate.java")
    copy_sources([JAVA / "spring" / "Spring.java", JAVA / "Say.java"], sources, str)
    classes = compile_java(place, libraries, sources, ("kinds", "inference", "digitreader", "chat"))
    return Built(f"spring-ws {_VERSION}", launch(classes, "Spring"), {"wsdl": Cell(Verdict.YES, "its schema, by xjc")})


CLIENT = Client("spring-ws", "Spring-WS", build, lacks={"gzip-in": "its message senders compress nothing"})
