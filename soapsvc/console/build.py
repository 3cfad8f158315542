"""Puts the console together: which pages there are, and what each is made of."""

from __future__ import annotations

from soapsvc.console.activity import Activity
from soapsvc.console.assets import Assets
from soapsvc.console.console import MODEL, Console, Route
from soapsvc.console.overview import Overview
from soapsvc.console.templates import Templates
from soapsvc.console.try_page import Drawn, TryPage
from soapsvc.model.manager import ModelManager
from soapsvc.soap.contracts import Contracts


def make_console(
    manager: ModelManager, contracts: Contracts, max_request_bytes: int, activity: Activity | None = None
) -> Console:
    """Return the console of a server. max_request_bytes: the most that a form may have."""
    assets = Assets()
    templates = Templates(assets)
    form = TryPage(templates, manager, contracts, max_request_bytes)
    routes = [
        Route("/", Overview(templates, manager, contracts, activity)),
        Route(f"{MODEL}/try", form, ("GET", "HEAD", "POST"), calls=True),
        Route(f"{MODEL}/try/drawn", Drawn(templates, manager, contracts), ("POST",)),
    ]
    return Console(routes, templates, assets)
