"""From Settings to a running server: loads the models, publishes their contracts, listens, and says so.

One process does all of it, or each worker (`worker`) that `supervisor` starts.
"""

from __future__ import annotations

import gc
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from textwrap import indent
from typing import NoReturn

from soapsvc.console.build import Served, make_console
from soapsvc.engine.batching import BatchingEngine
from soapsvc.engine.local import LocalEngine
from soapsvc.errors import LoadError, Unavailable
from soapsvc.metrics.counts import read_counts
from soapsvc.metrics.notes import NotesInFolder, NotesInMemory
from soapsvc.metrics.recent import LastHour
from soapsvc.model.lifecycle import Lifecycle, Trial
from soapsvc.model.manager import ModelManager
from soapsvc.model.policy import VersionPolicies
from soapsvc.model.servable import Servable
from soapsvc.model.shared_files import SharedFiles
from soapsvc.model.shared_trials import SharedTrials
from soapsvc.model.source import VersionFolder
from soapsvc.model.status import State
from soapsvc.model.trial import try_versions
from soapsvc.session import Limits
from soapsvc.session.open import open_store
from soapsvc.session.sessions import Sessions
from soapsvc.settings import EVERYWHERE, Settings
from soapsvc.soap.contracts import Contracts
from soapsvc.soap.message_log import MessageLog
from soapsvc.tracing.open import check_tracing, open_tracing
from soapsvc.transport.application import WebApplication
from soapsvc.transport.colleagues import Colleagues
from soapsvc.transport.forwarded import TrustedProxies
from soapsvc.transport.models_page import ModelsPage
from soapsvc.transport.operator import ServerOperator
from soapsvc.transport.server import Server, stop_on_signals
from soapsvc.transport.servers import check_server, exchange_of, make_server
from soapsvc.transport.service_manager import READY, STOPPING, ServiceManager, handed_socket
from soapsvc.transport.start import StartError, bind, start_logging, tell_pid
from soapsvc.transport.supervisor import supervise
from soapsvc.transport.watcher import Watcher

log = logging.getLogger(__name__)
_OBJECTS = 10_000  # made and kept before Python looks for unreachable ones: a batch of 1,000 rows makes as many


@dataclass(frozen=True)
class Prepared:
    """Models that are loaded, and the application that answers for them. banner: lines for the operator."""

    web: WebApplication
    lifecycle: Lifecycle
    models_page: ModelsPage
    banner: tuple[str, ...]


def load_models(settings: Settings, shared: Path | None = None) -> tuple[ModelManager, Contracts, Lifecycle]:
    """Return the container with every model that can serve, the contracts they published, and what keeps both up.

    shared: a folder of all processes that serve the same models, where there are several. Raises StartError.
    """
    if settings.contracts is not None and not settings.contracts.is_dir():
        raise StartError(f"contracts: there is no folder {settings.contracts}; expected one that holds <model>.wsdl")
    # TensorFlow takes seconds to import: not before the settings are right
    from soapsvc.model.loader import load, measured

    files = None if shared is None or settings.share_constants == "never" else shared_constants(shared)

    def load_one(folder: VersionFolder) -> Servable:
        return measured(lambda: load(folder, settings.op_libraries, settings.pipeline_code, manager, files))

    manager = ModelManager(load_one)
    contracts = Contracts(manager, BatchingEngine(LocalEngine()), settings.contracts, _sessions(settings, shared))
    trial: Trial = partial(
        try_versions, op_libraries=settings.op_libraries, pipeline_code=settings.pipeline_code,
        timeout_s=settings.trial_timeout_s,
    )  # fmt: skip
    if shared is not None:
        trial = SharedTrials(trial, shared)
    lifecycle = Lifecycle(
        settings.models, manager, contracts, VersionPolicies(settings.version_policy), settings.version_labels,
        None if settings.trial_load == "never" else trial,
    )  # fmt: skip
    try:
        lifecycle.start(trial if settings.trial_load == "always" else None)
    except LoadError as err:
        raise StartError(str(err)) from err
    return manager, contracts, lifecycle


def shared_constants(shared: Path) -> SharedFiles:
    """Return where the processes that share a folder put the large constants of their models."""
    return SharedFiles(shared / "constants")


def _sessions(settings: Settings, shared: Path | None) -> Sessions:
    limits = Limits(settings.session_ttl_s, settings.max_sessions, settings.max_session_bytes)
    try:
        sessions = Sessions(open_store(settings.sessions, limits, shared))
    except (Unavailable, ValueError) as err:
        raise StartError(f"sessions: {err}") from err
    if settings.sessions is not None:  # it may hold some that have expired
        sessions.start()
    return sessions


def make_application(
    settings: Settings, manager: ModelManager, contracts: Contracts, models_page: ModelsPage,
    reload: Callable[[], None], last_hour: LastHour, worker: int | None = None,
) -> WebApplication:  # fmt: skip
    """Return the WSGI application.

    reload: has every worker look at the models folder.  worker: the number of this process among several, None where it
    is alone.
    """
    operator = ServerOperator(settings.models, reload)
    served = Served(manager, contracts, settings.base_url, models_page, operator, last_hour, settings.max_request_bytes)
    token = settings.admin_token.get_secret_value() if settings.admin_token else None
    console = make_console(served, token)
    proxies = TrustedProxies(settings.trusted_proxies, tell_address=settings.public_url is None)
    messages = MessageLog(settings.message_log)
    exchange = exchange_of(settings)
    tracing = open_tracing(settings.tracing, settings.otlp_endpoint, settings.trace_sample_ratio, worker)
    return WebApplication(
        manager, contracts, console, settings.base_url, exchange, models_page, proxies, messages, tracing
    )


def run(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C, then drain; in this process, or in several workers. Raises StartError."""
    start_logging(settings)
    if settings.workers > 1 and os.name == "nt":
        raise StartError("workers: Windows has no sockets that processes inherit; expected 1")
    check_server(settings)
    try:
        check_tracing(settings.tracing)
    except ValueError as err:
        raise StartError(f"tracing: {err}") from err
    service_manager = ServiceManager()
    handed = handed_socket()
    listener = handed or bind(settings)  # before the models are loaded: a port in use shows at once
    host, port = listener.getsockname()[:2]
    settings = settings.model_copy(update={"host": host if handed else settings.host, "port": port})
    (supervise if settings.workers > 1 else _serve_alone)(settings, listener, service_manager)


def _serve_alone(settings: Settings, listener: socket.socket, service_manager: ServiceManager) -> None:
    watcher = Watcher(settings.watch_interval_s)
    watcher.reload_on_hangup()  # before anyone can read the process id
    tell_pid(settings)
    print(f"Loading models from {settings.models} ...", flush=True)
    prepared = prepare(settings, watcher)
    server = make_server(settings, prepared.web, listener)

    def stop() -> None:
        service_manager.tell(STOPPING)
        server.stop()

    stop_on_signals(stop)
    service_manager.tell(READY)
    print("\n".join(prepared.banner), flush=True)
    serve(server, prepared, watcher)


def prepare(settings: Settings, watcher: Watcher, colleagues: Colleagues | None = None) -> Prepared:
    """Load the models, and make the application that answers for them. Raises StartError.

    colleagues: the other workers, where there are several.
    """
    manager, contracts, lifecycle = load_models(settings, colleagues.folder if colleagues else None)
    page = ModelsPage(manager, lifecycle, watcher, colleagues)
    last_hour = LastHour(NotesInFolder(colleagues.folder / "minutes") if colleagues else NotesInMemory(), read_counts)
    reload = colleagues.reload_all if colleagues else watcher.ask
    web = make_application(
        settings, manager, contracts, page, reload, last_hour, colleagues.number if colleagues else None
    )
    last_hour.start()
    return Prepared(web, lifecycle, page, tuple(banner(settings, manager, contracts)))


def serve(server: Server, prepared: Prepared, watcher: Watcher) -> NoReturn:
    """Answer calls and watch the models folder until the server is stopped, drain, and end the process."""
    gc.collect()
    gc.freeze()  # no later collection walks TensorFlow's hundred thousands of objects again; graphs free themselves
    gc.set_threshold(_OBJECTS)
    watcher.start(prepared.lifecycle, prepared.models_page.tell)
    with suppress(KeyboardInterrupt):  # the second Ctrl-C
        server.run()
        prepared.web.soap.telling.close()
    leave()


def leave(code: int = 0) -> NoReturn:
    """End the process at once: TensorFlow may still run what nobody waits for, and crashes at a slower end."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


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
