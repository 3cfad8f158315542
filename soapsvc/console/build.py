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
from soapsvc.console.templates import Templates
from soapsvc.model.manager import ModelManager
from soapsvc.soap.contracts import Contracts


@dataclass(frozen=True)
class Served:
    """The server that a console is of. base_url: as its WSDLs name it.  fleet: the content of /health/models."""

    manager: ModelManager
    contracts: Contracts
    base_url: str
    fleet: Fleet
    operator: Operator


def make_console(served: Served, admin_token: str | None, activity: Activity | None = None) -> Console:
    """Return the console of a server. admin_token: without one nobody may act."""
    assets = Assets()
    templates = Templates(assets)
    admin = Admin(admin_token) if admin_token else None
    manager, contracts = served.manager, served.contracts
    pages = ModelPages(templates, manager, contracts, served.base_url, admin)
    routes = [
        Route("/", Overview(templates, manager, contracts, served.fleet, admin, activity)),
        Route(MODEL, pages),
        *Downloads(pages, manager).routes(),
        *(Actions(templates, admin, served.operator).routes() if admin else ()),
    ]
    return Console(routes, templates, assets)
