"""`python -m interop`: try every client, write docs/interop.md; exit code 1 if a cell fails by our fault."""

from __future__ import annotations

import argparse
import sys

from interop.matrix import run_matrix
from interop.models import ROOT
from interop.page import failures, write_page
from interop.registry import CLIENTS
from interop.tools import CannotRun

PAGE = ROOT / "docs" / "interop.md"
BUILD = ROOT / "build" / "interop"


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m interop", description=__doc__)
    keys = [client.key for client in CLIENTS]
    parser.add_argument("clients", nargs="*", choices=[*keys, []], help="these only; the page is then left alone")
    chosen = parser.parse_args().clients
    clients = [client for client in CLIENTS if not chosen or client.key in chosen]
    try:
        columns = run_matrix(clients, BUILD, lambda line: print(line, flush=True))
    except CannotRun as err:
        print(f"interop: {err}", file=sys.stderr)
        return 1
    if not chosen:
        PAGE.write_text(write_page(columns), encoding="utf-8")
        print(f"wrote {PAGE.relative_to(ROOT)}")
    failed = failures(columns)
    for line in failed:
        print(f"FAILED {line}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
