"""From Settings to a running server: loads the models, publishes their contracts, listens, and says so."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any

from soapsvc.console.home import HomePage
from soapsvc.engine.local import LocalEngine
from soapsvc.errors import LoadError
from soapsvc.model.manager import ModelManager, State
from soapsvc.model.source import find_versions
from soapsvc.settings import Settings
from soapsvc.soap.contracts import Contracts
from soapsvc.transport.application import WebApplication
from soapsvc.transport.waitress_server import make_server

log = logging.getLogger(__name__)


class StartError(Exception):
    """The server can't start; the message says why and what to do."""


def load_models(settings: Settings) -> tuple[ModelManager, Contracts]:
    """Return the container with every model that can serve, and the contracts they published."""
    from soapsvc.model.loader import load  # TensorFlow takes seconds to import: not before the settings are right

    manager = ModelManager(lambda folder: load(folder, settings.op_libraries), settings.version_labels)
    contracts = Contracts(manager, LocalEngine())
    try:
        manager.load_all(find_versions(settings.models), contracts.admit)
    except LoadError as err:
        raise StartError(str(err)) from err
    return manager, contracts


def make_application(settings: Settings, manager: ModelManager, contracts: Contracts) -> WebApplication:
    """Return the WSGI application."""
    page = HomePage(manager, contracts, settings.base_url)
    return WebApplication(manager, contracts, page, settings.base_url, settings.max_request_bytes)


def run(settings: Settings) -> None:
    """Serve until interrupted. Raises StartError."""
    logging.basicConfig(
        level=settings.log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    print(f"Loading models from {settings.models} ...", flush=True)
    manager, contracts = load_models(settings)
    server = _listen(settings, manager, contracts)
    print(
        "\n".join(_banner(settings.model_copy(update={"port": server.effective_port}), manager, contracts)), flush=True
    )
    server.run()


def _listen(settings: Settings, manager: ModelManager, contracts: Contracts) -> Any:
    """Return a listening server; with port 0 the free port it got stands in every address it gives out."""
    web = make_application(settings, manager, contracts)
    try:
        return make_server(web, settings.host, settings.port, settings.threads, settings.max_request_bytes)
    except OSError as err:
        raise StartError(
            f"can't listen on {settings.host} port {settings.port}: {err.strerror}; "
            "stop what listens there or choose another port with --port"
        ) from err


def _banner(settings: Settings, manager: ModelManager, contracts: Contracts) -> Iterator[str]:
    yield ""
    yield f"soapsvc is ready: {settings.base_url}/"
    for endpoint in contracts.all():
        url = settings.base_url + endpoint.names.path(endpoint.soap)
        yield f"  {endpoint.names.model:<20} SOAP {endpoint.soap.value}  {url}?wsdl"
    for status in manager.status():
        if status.state is not State.AVAILABLE:
            yield f"  not served: {status.name} version {status.version}: {status.reason}"
    yield "Press Ctrl-C to stop."
