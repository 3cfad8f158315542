"""Which HTTP server answers: whether it can do what the settings ask of it, and how it is made of them."""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import fields
from importlib.util import find_spec

from soapsvc.settings import Settings
from soapsvc.transport.application import WebApplication
from soapsvc.transport.server import Patience, Server
from soapsvc.transport.soap_handler import Exchange
from soapsvc.transport.spread import Share
from soapsvc.transport.start import StartError


def check_server(settings: Settings) -> None:
    """Raise StartError when the server that is chosen can't do what the settings ask."""
    if settings.server == "granian" and os.name == "nt":
        raise StartError("server: granian is handed a socket, which Windows can't do; choose waitress")
    if settings.server == "granian" and find_spec("granian") is None:
        raise StartError("server: granian is not installed; install soapsvc[granian], or choose waitress")
    named = {name: getattr(settings, name) for name in ("tls_certificate", "tls_key", "tls_client_ca")}
    given = [name for name, path in named.items() if path is not None]
    if not given:
        return
    if settings.server == "waitress":
        raise StartError(f"{given[0]}: waitress has no TLS; choose --server granian, or put a reverse proxy in front")
    if settings.tls_certificate is None or settings.tls_key is None:
        missing = "tls_key" if settings.tls_key is None else "tls_certificate"
        raise StartError(f"{given[0]}: expected {missing} beside it")
    for name in given:
        if not named[name].is_file():
            raise StartError(f"{name}: there is no file {named[name]}")
    _check_certificates(settings)


def _check_certificates(settings: Settings) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(str(settings.tls_certificate), str(settings.tls_key), lambda: "")
    except (OSError, ValueError) as err:
        text = "expected a certificate in PEM, and in tls_key its private key without a password"
        raise StartError(f"tls_certificate: {settings.tls_certificate}: {text}: {err}") from err
    if settings.tls_client_ca is None:
        return
    try:
        context.load_verify_locations(settings.tls_client_ca)
    except OSError as err:
        raise StartError(f"tls_client_ca: {settings.tls_client_ca}: expected certificates in PEM: {err}") from err


def make_server(settings: Settings, web: WebApplication, listener: socket.socket, share: Share | None = None) -> Server:
    """Return a server that listens on a bound socket and is ready to `run()`. share: where other workers listen too."""
    exchange, patience = exchange_of(settings), patience_of(settings)
    if settings.server == "granian":
        from soapsvc.transport.granian_server import GranianServer, Tls  # it is an extra

        tls = None
        if settings.tls_certificate is not None and settings.tls_key is not None:
            tls = Tls(settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
        return GranianServer(web, listener, exchange, patience, tls)
    from soapsvc.transport import waitress_server

    return waitress_server.make_server(web, listener, exchange, patience, share)


def exchange_of(settings: Settings) -> Exchange:
    """Return how messages travel."""
    return Exchange(
        settings.max_request_bytes, settings.max_mtom_bytes, settings.mtom == "auto", settings.gzip == "auto"
    )


def patience_of(settings: Settings) -> Patience:
    """Return how long the server waits for others, and how much it holds for them."""
    return Patience(**{each.name: getattr(settings, each.name) for each in fields(Patience)})
