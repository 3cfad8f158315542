"""The command `reload`: has a running server look at its models folder now, waits, and prints what came of it."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from soapsvc.errors import LoadError
from soapsvc.transport.pid_file import PidFileError, running_pid

_POLL_S = 0.2


def add_reload_parser(commands: Any) -> None:
    """Add `reload` to the command line."""
    parser = commands.add_parser("reload", help="have a running server load what is new in its models folder")
    parser.add_argument("--pid-file", type=Path, required=True, help="the server's setting pid_file")
    parser.add_argument("--url", default="http://localhost:8080", help="where the server answers")
    parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="how long to wait")
    parser.set_defaults(run=_reload)


def _reload(options: argparse.Namespace) -> int:
    """Return 0 when every version that is wanted serves and every label stands in its place, in all workers, else 1."""
    url = f"{options.url.rstrip('/')}/health/models"
    try:
        pid = running_pid(options.pid_file)
    except PidFileError as err:
        raise LoadError(str(err)) from err
    asked = {worker["pid"]: worker["reloads"]["asked"] for worker in _running(read_page(url))}
    os.kill(pid, signal.SIGHUP)
    deadline = time.monotonic() + options.timeout
    while not _through(page := read_page(url), asked):
        if time.monotonic() > deadline:
            raise LoadError(f"{url}: not through after {options.timeout:g} s; it may yet come")
        time.sleep(_POLL_S)
    return show_page(page)


def _running(page: Any) -> list[Any]:
    return [worker for worker in page["workers"] if worker["pid"] is not None]


def _through(page: Any, asked: dict[int, int]) -> bool:
    """Return whether every worker has looked since; one that started since has, and one that starts will."""
    return all(worker["reloads"]["answered"] > asked.get(worker["pid"], -1) for worker in _running(page))


def read_page(url: str) -> Any:
    """Return what a running server tells at /health/models. url: that page's. Raises LoadError."""
    if not url.startswith(("http://", "https://")):
        raise LoadError(f"{url}: expected http:// or https://")
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  # http and https only, see above
            return json.load(answer)
    except (OSError, ValueError) as err:
        raise LoadError(
            f"{url}: expected the status of a running server: {err}; give its address, as http://localhost:8080"
        ) from err


def show_page(page: Any) -> int:
    """Print it, and return 0 when every version that is wanted serves and every label stands in its place, else 1."""
    for version in page["versions"]:
        reason = version["reason"] or version["note"]
        print(f"{version['model']} version {version['version']}: {version['state']}{reason and f': {reason}'}")
    for label in page["labels"]:
        waits = "" if label["version"] == label["wanted"] else f", waits for version {label['wanted']}"
        print(f"{label['model']} label {label['label']}: {_place(label['version'])}{waits}")
    for problem in page["problems"]:
        print(problem, file=sys.stderr)
    differs = False
    for worker in page["workers"]:
        if worker["pid"] is None:
            print(f"worker {worker['worker']} is being started, and loads what is there then", file=sys.stderr)
        for difference in worker["differs"]:
            print(f"worker {worker['worker']} (process {worker['pid']}): {difference}", file=sys.stderr)
            differs = True
    failed = any(version["failed"] for version in page["versions"])
    waiting = any(label["version"] != label["wanted"] for label in page["labels"])
    return 1 if failed or waiting or differs or page["problems"] else 0


def _place(version: int | None) -> str:
    return "nowhere" if version is None else f"version {version}"
