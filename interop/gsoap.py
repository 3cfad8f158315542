"""gSOAP, for C and C++."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from interop.client import PROGRAMS, Built, Cell, Client, Verdict, Workplace
from interop.models import MODELS
from interop.tools import fresh, need, run

_SHARE = Path("/usr/share/gsoap")
_PROGRAM = PROGRAMS / "gsoap" / "gsoap.cpp"
_USED = ("kinds", "inference", "digit-reader", "chat")
_PROXIES = [f"soap{model.title().replace('-', '')}BindingProxy.cpp" for model in _USED]
_BOTH = '"$0"/soap11/gsoap "$@"; "$0"/soap12/gsoap "$@"'


def build(place: Workplace) -> Built:
    """Read every WSDL; make and compile the stubs of those that are called, in each SOAP version."""
    need(("wsdl2h", "soapcpp2", "g++", str(_SHARE / "plugin" / "wsaapi.c")), ("gsoap", "libgsoap-dev", "g++"))
    for model in MODELS:
        for ending in (".wsdl", ".soap12.wsdl"):
            run(["wsdl2h", "-o", "read.h", place.wsdls / f"{model}{ending}"], place.folder)
    soap11 = fresh(place.folder / "soap11")
    _stubs(soap11, [place.wsdls / f"{model}.wsdl" for model in _USED], '#import "wsa5.h"\n')
    plugin = _SHARE / "plugin" / "wsaapi.c"
    _compile(soap11, [*_PROXIES, plugin])
    soap12 = fresh(place.folder / "soap12")
    _stubs(soap12, [place.wsdls / "kinds.soap12.wsdl"], "")
    _compile(soap12, ["-DSOAP12", "soapKindsSoap12BindingProxy.cpp"])
    version = run(["wsdl2h", "-V"], place.folder).split()[-1]
    return Built(f"gSOAP {version}", ["sh", "-c", _BOTH, place.folder], {"wsdl": Cell(Verdict.YES)})


def _stubs(folder: Path, wsdls: Iterable[Path], more: str) -> None:
    run(["wsdl2h", "-o", "stubs.h", *wsdls], folder)
    header = folder / "stubs.h"
    header.write_text(more + header.read_text())
    run(["soapcpp2", "-j", "-C", "-x", "-w", f"-I{_SHARE / 'import'}", "stubs.h"], folder)


def _compile(folder: Path, sources: Iterable[str | Path]) -> None:
    flags = ["-O0", "-w", "-DWITH_GZIP", "-DWITH_OPENSSL", "-I.", f"-I{_SHARE / 'plugin'}", f"-I{_SHARE}"]
    libraries = ["-lgsoapssl++", "-lssl", "-lcrypto", "-lz", "-lpthread"]
    run(["g++", *flags, "-o", "gsoap", "-x", "c++", _PROGRAM, "soapC.cpp", *sources, *libraries], folder, timeout_s=400)


CLIENT = Client("gsoap", "gSOAP", build)
