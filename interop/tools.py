"""Programs of other languages: found, installed from Debian by root, and run."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ONE_AT_A_TIME = threading.Lock()  # for what writes to a place that all clients share: dpkg, Maven's repository


class CannotRun(Exception):
    """A client can't be built or run; the message says why and what to do."""


def need(programs: Iterable[str], packages: Sequence[str]) -> None:
    """Have programs, or files given by absolute path; root installs the Debian packages. Raises CannotRun."""
    wanted = list(programs)
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    with ONE_AT_A_TIME:
        if _missing(wanted) and shutil.which("apt-get") and os.geteuid() == 0:
            run(["apt-get", "update", "-q"], Path.cwd(), timeout_s=300)
            run(command, Path.cwd(), timeout_s=900, env={"DEBIAN_FRONTEND": "noninteractive"})
    if missing := _missing(wanted):
        raise CannotRun(f"{', '.join(missing)} is missing; install it with: {' '.join(command)}")


def _missing(programs: Iterable[str]) -> list[str]:
    return [name for name in programs if not (Path(name).exists() if name.startswith("/") else shutil.which(name))]


def run(
    command: Sequence[str | Path], folder: Path, timeout_s: float = 120, env: dict[str, str] | None = None, **more: Any
) -> str:
    """Return what a command prints, errors included. Raises CannotRun when it fails or takes too long."""
    try:
        done = subprocess.run(
            command, cwd=folder, timeout=timeout_s, text=True, errors="replace", env=os.environ | (env or {}),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more,
        )  # fmt: skip
    except FileNotFoundError as err:
        raise CannotRun(f"{command[0]} is missing") from err
    except subprocess.TimeoutExpired as err:
        raise CannotRun(f"{Path(command[0]).name} did not end within {timeout_s:g} s") from err
    if done.returncode != 0:
        raise CannotRun(f"{Path(command[0]).name} failed: {done.stdout.strip()[-2000:]}")
    return done.stdout


def fresh(folder: Path) -> Path:
    """Return an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
