"""Who called, and under which address, when proxies stand between: `X-Forwarded-*` and `Forwarded` (RFC 7239).

These headers count from a trusted proxy only; whoever else sends them is not believed. Knows nothing of SOAP.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from soapsvc.transport.http import Environ

Network = IPv4Network | IPv6Network
_TOLD = ("FOR", "PROTO", "HOST", "PORT", "PREFIX")
_HEADERS = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_BY", *(f"HTTP_X_FORWARDED_{name}" for name in _TOLD))
_PAIR = re.compile(r'\s*([A-Za-z]+)=(?:"([^"\\]*)"|([^\s",;]+))\s*([;,]|\Z)')
_NODE = re.compile(r"(?:\[(?P<six>[^]]+)\]|(?P<four>[0-9.]+))(?::[0-9]{1,5})?|(?P<bare>[0-9A-Fa-f:.]+)")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?P<name>\[[0-9A-Fa-f:.]+\]|(?=.{{1,253}}(?::|\Z)){_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[0-9]+))?")
_PREFIX = re.compile(r"(?=.{0,200}\Z)(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")
_DEFAULT_PORT = {"http": "80", "https": "443"}


@dataclass(frozen=True)
class Origin:
    """Where a call came from.

    peer: the caller's address.  base_url: under which he reaches this server, None when no proxy told so.
    """

    peer: str
    base_url: str | None = None


class TrustedProxies:
    """The peers whose word counts on who called them."""

    def __init__(self, networks: Sequence[Network] = (), tell_address: bool = False) -> None:
        """tell_address: whether what they say of the server's own address counts too."""
        self._networks, self.tell_address = networks, tell_address

    def take(self, environ: Environ) -> Origin:
        """Return the origin of a request, and take the headers that tell of it out of its environment."""
        if not self._networks:
            for name in _HEADERS:
                environ.pop(name, None)
            return Origin(environ.get("REMOTE_ADDR", ""))
        told = {name: environ.pop(name) if name in environ else "" for name in _HEADERS}
        return self.origin(environ.get("REMOTE_ADDR", ""), lambda name: str(told[f"HTTP_{name}"]))

    def origin(self, peer: str, header: Callable[[str], str]) -> Origin:
        """Return the origin of a request. peer: who is connected.  header: gives a header by its name, as FORWARDED."""
        if not self._trusts(peer):
            return Origin(peer)
        told = _told(header)
        caller, proxies = self._caller(peer, told["FOR"])
        if not self.tell_address:
            return Origin(caller)
        return Origin(caller, _base_url({name: [*values, ""][-proxies - 1 :][0] for name, values in told.items()}))

    def _trusts(self, peer: str) -> bool:
        if not self._networks:
            return False
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)

    def _caller(self, peer: str, chain: Sequence[str]) -> tuple[str, int]:
        """Return the nearest address that is no trusted proxy's, and how many proxies stand before it."""
        proxies = 1
        for node in reversed(chain):
            address = _address(node)
            if address is None:  # hidden on purpose, or nonsense: who wrote it is the last that is known
                break
            peer = address
            if not self._trusts(peer):
                break
            proxies += 1
        return peer, proxies


def host_url(environ: Environ) -> str | None:
    """Return the URL that a request names itself (RFC 9110, 7.2), None when it names no host, or is malformed."""
    host, scheme = str(environ.get("HTTP_HOST", "")), str(environ.get("wsgi.url_scheme", ""))
    return _base_url({"HOST": host, "PROTO": scheme, "PORT": "", "PREFIX": ""})


def _told(header: Callable[[str], str]) -> Mapping[str, list[str]]:
    """Return what each proxy told, the nearest last. `Forwarded` counts only where there is no `X-Forwarded-*`."""
    told = {name: _listed(header(f"X_FORWARDED_{name}")) for name in _TOLD}
    return told if any(told.values()) else _forwarded(header("FORWARDED"))


def _listed(values: str) -> list[str]:
    return [value.strip() for value in values.split(",")] if values.strip() else []


def _forwarded(text: str) -> Mapping[str, list[str]]:
    """Return the elements of a Forwarded header by parameter (RFC 7239, 4); nothing of one that is malformed."""
    elements: list[dict[str, str]] = [{}]
    position = 0
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None:
            return {name: [] for name in _TOLD}
        elements[-1][match[1].upper()] = match[2] if match[2] is not None else match[3]
        if match[4] == ",":
            elements.append({})
        position = match.end()
    return {name: [element.get(name, "") for element in elements] for name in _TOLD}


def _address(node: str) -> str | None:
    """Return the address in a node's name, None when it holds none (RFC 7239, 6)."""
    match = _NODE.fullmatch(node)
    try:
        return str(ip_address(match["six"] or match["four"] or match["bare"])) if match else None
    except ValueError:
        return None


def _base_url(told: Mapping[str, str]) -> str | None:
    """Return the URL that a proxy was called under, None when it names no host, or anything of it is malformed."""
    host = _HOST.fullmatch(told["HOST"])
    scheme = told["PROTO"].lower() or "http"
    if host is None or scheme not in _DEFAULT_PORT or not _PREFIX.fullmatch(told["PREFIX"]):
        return None
    if host["name"].startswith("[") and _address(host["name"]) is None:
        return None
    port = host["port"] or told["PORT"] or _DEFAULT_PORT[scheme]
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 1 <= int(port) <= 65535):
        return None
    shown = "" if port == _DEFAULT_PORT[scheme] else f":{port}"
    return f"{scheme}://{host['name'].lower()}{shown}{told['PREFIX'].rstrip('/')}"
