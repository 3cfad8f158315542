"""From Settings to a running server: loads the models, publishes their contracts, listens, and says so."""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from textwrap import indent
from typing import NoReturn

from soapsvc.console.home import HomePage
from soapsvc.engine.local import LocalEngine
from soapsvc.errors import LoadError
from soapsvc.model.lifecycle import Lifecycle
from soapsvc.model.manager import ModelManager
from soapsvc.model.policy import VersionPolicies
from soapsvc.model.status import State
from soapsvc.model.trial import try_versions
from soapsvc.settings import EVERYWHERE, Settings
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.message_log import MessageLog
from soapsvc.transport.application import WebApplication
from soapsvc.transport.forwarded import TrustedProxies
from soapsvc.transport.models_page import ModelsPage
from soapsvc.transport.pid_file import PidFileError, hold_pid_file
from soapsvc.transport.soap_handler import Exchange
from soapsvc.transport.waitress_server import Patience, make_server, stop_on_signals
from soapsvc.transport.watcher import Watcher

log = logging.getLogger(__name__)


class StartError(Exception):
    """The server can't start; the message says why and what to do."""


def load_models(settings: Settings) -> tuple[ModelManager, Contracts, Lifecycle]:
    """Return the container with every model that can serve, the contracts they published, and what keeps both up."""
    if settings.contracts is not None and not settings.contracts.is_dir():
        raise StartError(f"contracts: there is no folder {settings.contracts}; expected one that holds <model>.wsdl")
    from soapsvc.model.loader import load  # TensorFlow takes seconds to import: not before the settings are right

    manager = ModelManager(lambda folder: load(folder, settings.op_libraries))
    contracts = Contracts(manager, LocalEngine(), settings.contracts)
    trial = partial(try_versions, op_libraries=settings.op_libraries, timeout_s=settings.trial_timeout_s)
    lifecycle = Lifecycle(
        settings.models, manager, contracts, VersionPolicies(settings.version_policy), settings.version_labels,
        None if settings.trial_load == "never" else trial,
    )  # fmt: skip
    try:
        lifecycle.start(trial if settings.trial_load == "always" else None)
    except LoadError as err:
        raise StartError(str(err)) from err
    return manager, contracts, lifecycle


def make_application(
    settings: Settings, manager: ModelManager, contracts: Contracts, models_page: Callable[[], object]
) -> WebApplication:
    """Return the WSGI application."""
    page = HomePage(manager, contracts, settings.base_url)
    proxies = TrustedProxies(settings.trusted_proxies, tell_address=settings.public_url is None)
    messages = MessageLog(settings.message_log)
    exchange = exchange_of(settings)
    return WebApplication(manager, contracts, page, settings.base_url, exchange, models_page, proxies, messages)


def exchange_of(settings: Settings) -> Exchange:
    """Return how messages travel."""
    return Exchange(
        settings.max_request_bytes, settings.max_mtom_bytes, settings.mtom == "auto", settings.gzip == "auto"
    )


def patience_of(settings: Settings) -> Patience:
    """Return how long the server waits for others, and how much it holds for them."""
    return Patience(**{each.name: getattr(settings, each.name) for each in fields(Patience)})


def run(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C, then drain. Raises StartError."""
    logging.basicConfig(
        level=settings.log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    listener = _bind(settings)  # before the models are loaded: a port in use shows at once
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    watcher = Watcher(settings.watch_interval_s)
    watcher.reload_on_hangup()  # before anyone can read the process id
    _hold_pid_file(settings)
    print(f"Loading models from {settings.models} ...", flush=True)
    manager, contracts, lifecycle = load_models(settings)
    web = make_application(settings, manager, contracts, ModelsPage(manager, lifecycle, watcher))
    server = make_server(web, listener, exchange_of(settings), patience_of(settings))
    print("\n".join(banner(settings, manager, contracts)), flush=True)
    gc.collect()
    gc.freeze()  # no later collection walks TensorFlow's hundred thousands of objects again; graphs free themselves
    watcher.start(lifecycle)
    stop_on_signals(server)
    server.run()
    _leave()


def _leave() -> NoReturn:
    """End the process at once: TensorFlow may still run what nobody waits for, and crashes at a slower end."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def _hold_pid_file(settings: Settings) -> None:
    try:
        if settings.pid_file is not None:
            hold_pid_file(settings.pid_file)
    except PidFileError as err:
        raise StartError(str(err)) from err


def _bind(settings: Settings) -> socket.socket:
    """Return a socket that has its port, a free one for port 0, but does not listen yet."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except socket.gaierror as err:
        raise StartError(f"host: {settings.host} can't be resolved: expected an address of this machine") from err
    except OSError as err:
        raise StartError(
            f"can't listen on {settings.host} port {settings.port}: {err.strerror}; "
            "stop what listens there or choose another port with --port"
        ) from err
    return listener


def banner(settings: Settings, manager: ModelManager, contracts: Contracts) -> Iterator[str]:
    """Yield the lines that tell an operator what is served, where, and what is not."""
    yield ""
    yield f"soapsvc is {'ready' if manager.names() else 'up, but no model can answer'}: {settings.base_url}/"
    for endpoint in contracts.all():
        url = settings.base_url + endpoint.names.path(endpoint.soap)
        yield f"  {endpoint.names.model:<20} SOAP {endpoint.soap.value}  {url}?wsdl"
    for status in manager.status():
        if status.state is not State.AVAILABLE:
            yield indent(f"not served: {status.name} version {status.version}: {status.reason}", "  ")
    if settings.public_url is None and settings.host in EVERYWHERE:
        yield "  The WSDLs name localhost; clients elsewhere need --public-url http://THIS-HOST:PORT."
    yield "Press Ctrl-C to stop."
