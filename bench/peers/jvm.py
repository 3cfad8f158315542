"""Java endpoints of the iris contract: JAX-WS RI, Apache CXF and Spring-WS, from Maven Central, in a warm JVM."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bench.iris import MODELS, REPOSITORY
from bench.subjects import Subject
from bench.workloads import CACHE
from interop.client import Workplace
from interop.java import JAVA, compile_java, copy_sources, launch, need_java
from interop.maven import class_path
from interop.tools import fresh, run

NAMES = {
    "ri": "JAX-WS RI, no model", "ri-tf": "JAX-WS RI, TensorFlow Java", "cxf": "Apache CXF, no model",
    "spring": "Spring-WS, no model",
}  # fmt: skip
WARM_UP_S = 10.0  # until the JVM has compiled what it runs most
_SOURCES = Path(__file__).parent / "java"
_OPTIONS = ("-Dsun.net.httpserver.nodelay=true", "-Djava.util.logging.config.file=/dev/null")  # else 40 ms a call
_CXF, _SPRING, _TENSORFLOW = "4.1.5", "4.1.3", "1.1.0"
_QUIET = "org.slf4j:slf4j-nop:2.0.17"
_RI = ("com.sun.xml.ws:jaxws-rt:4.0.5", "com.sun.xml.ws:jaxws-tools:4.0.5")
_LIBRARIES = {
    "ri": _RI,
    "ri-tf": (
        *_RI,
        f"org.tensorflow:tensorflow-core-api:{_TENSORFLOW}",
        f"org.tensorflow:tensorflow-core-native:{_TENSORFLOW}:jar:linux-x86_64",
    ),
    "cxf": (
        f"org.apache.cxf:cxf-tools-wsdlto-frontend-jaxws:{_CXF}",
        f"org.apache.cxf:cxf-tools-wsdlto-databinding-jaxb:{_CXF}", f"org.apache.cxf:cxf-tools-validator:{_CXF}",
        f"org.apache.cxf:cxf-rt-frontend-jaxws:{_CXF}", f"org.apache.cxf:cxf-rt-transports-http-jetty:{_CXF}", _QUIET,
    ),
    "spring": (
        f"org.springframework.ws:spring-ws-core:{_SPRING}", "org.springframework:spring-oxm:6.2.12",
        "org.glassfish.jaxb:jaxb-runtime:4.0.5", "org.glassfish.jaxb:jaxb-xjc:4.0.5",
        "com.sun.xml.messaging.saaj:saaj-impl:3.0.4", _QUIET,
    ),
}  # fmt: skip
_PROGRAMS = {
    "ri": ("IrisServer", "IrisEndpoint", "Scorer"),
    "ri-tf": ("IrisServer", "IrisEndpoint", "Scorer", "GraphScorer"),
    "cxf": ("CxfServer", "IrisEndpoint", "Scorer"),
    "spring": ("SpringServer", "Scorer"),
}


def prepare(kind: str) -> Subject:
    """Build an endpoint in the cache and return how to start it. Raises CannotRun."""
    need_java()
    place = Workplace(CACHE / "java" / kind, "", REPOSITORY / "wsdl", Path(), Path())
    place.folder.mkdir(parents=True, exist_ok=True)
    libraries = class_path(place.folder, _LIBRARIES[kind])
    sources = fresh(place.folder / "source")
    stubs = JAVA / kind.partition("-")[0] / "Generate.java"
    run(launch(libraries, stubs, sources, place.wsdls / "iris.wsdl", "stubs.iris"), place.folder, timeout_s=300)
    programs = _PROGRAMS[kind]
    copy_sources([_SOURCES / f"{name}.java" for name in programs], sources, str)
    classes = compile_java(place, libraries, sources, ("iris",))
    model = [str(MODELS / "iris" / "1" / "model.pb")] if "GraphScorer" in programs else []
    arguments = (*_OPTIONS, "-cp", classes, programs[0], *model)
    return Subject(NAMES[kind], arguments, "", "java", warm_up_s=WARM_UP_S)


PEERS = {name: partial(prepare, kind) for kind, name in NAMES.items()}
