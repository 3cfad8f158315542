"""The command `status`: prints what a running server serves, what it does not, and why."""

from __future__ import annotations

import argparse
from typing import Any

from soapsvc.transport.reload import read_page, show_page


def add_status_parser(commands: Any) -> None:
    """Add `status` to the command line."""
    parser = commands.add_parser("status", help="tell what a running server serves; exit code 1 when anything is amiss")
    parser.add_argument("url", metavar="URL", help="where the server answers, as http://localhost:8080")
    parser.set_defaults(run=_status)


def _status(options: argparse.Namespace) -> int:
    """Return 0 when every version that is wanted serves and every label stands in its place, in all workers, else 1."""
    return show_page(read_page(f"{options.url.rstrip('/')}/health/models"))
