"""Puts the console together: which pages there are, and what each is made of."""

from __future__ import annotations

from dataclasses import dataclass

from soapsvc.console.actions import Actions, Operator
from soapsvc.console.activity import Activity
from soapsvc.console.admin import Admin
from soapsvc.console.assets import Assets
from soapsvc.console.console import MODEL, Console, Route
from soapsvc.console.downloads import Downloads
from soapsvc.console.model_page import ModelPages
from soapsvc.console.overview import Fleet, Overview
from soapsvc.console.performance import PerformancePage
from soapsvc.console.templates import Templates
from soapsvc.console.try_page import Drawn, TryPage
from soapsvc.metrics.recent import LastHour
from soapsvc.model.manager import ModelManager
from soapsvc.soap.contracts import Contracts


@dataclass(frozen=True)
class Served:
    """The server that a console is of.

    base_url: as its WSDLs name it.  fleet: the content of /health/models.  max_request_bytes: of a message.
    """

    manager: ModelManager
    contracts: Contracts
    base_url: str
    fleet: Fleet
    operator: Operator
    last_hour: LastHour
    max_request_bytes: int


def make_console(served: Served, admin_token: str | None) -> Console:
    """Return the console of a server. admin_token: without one nobody may act."""
    assets = Assets()
    templates = Templates(assets)
    admin = Admin(admin_token) if admin_token else None
    manager, contracts = served.manager, served.contracts
    activity = Activity(served.last_hour)
    form = TryPage(templates, manager, contracts, served.max_request_bytes)
    pages = ModelPages(templates, manager, contracts, served.base_url, admin)
    routes = [
        Route("/", Overview(templates, manager, contracts, served.fleet, admin, activity)),
        Route(MODEL, pages),
        Route(f"{MODEL}/try", form, ("GET", "HEAD", "POST"), calls=True),
        Route(f"{MODEL}/try/drawn", Drawn(templates, manager, contracts), ("POST",)),
        Route(f"{MODEL}/performance", PerformancePage(templates, manager, served.last_hour)),
        *Downloads(pages, manager).routes(),
        *(Actions(templates, admin, served.operator).routes() if admin else ()),
    ]
    return Console(routes, templates, assets)
