"""Puts the console together: which pages there are, and what each is made of."""

from __future__ import annotations

from soapsvc.console.activity import Activity
from soapsvc.console.assets import Assets
from soapsvc.console.console import Console, Route
from soapsvc.console.overview import Overview
from soapsvc.console.templates import Templates
from soapsvc.model.manager import ModelManager
from soapsvc.soap.contracts import Contracts


def make_console(manager: ModelManager, contracts: Contracts, activity: Activity | None = None) -> Console:
    """Return the console of a server."""
    assets = Assets()
    templates = Templates(assets)
    routes = [Route("/", Overview(templates, manager, contracts, activity))]
    return Console(routes, templates, assets)
