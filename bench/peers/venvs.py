"""Model servers of others, each in a virtual environment of its own beside ours: MLServer and Ray Serve."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench.iris import REPOSITORY
from bench.subjects import Subject
from interop.tools import run

INSTALL_TIMEOUT_S = 900
_NEEDED = (
    "tensorflow>=2.20,<2.22",
    "pydantic>=2.10,<3",
    "pyyaml>=6,<7",
    "orjson>=3.10,<4",
    "pybase64>=1.4,<2",
    "pillow>=11,<14",
    "uvloop<0.22",
)  # fmt: skip  (what soapsvc.model imports; MLServer 1.7 breaks with newer uvloops)


def prepare(name: str, package: str, arguments: Sequence[str]) -> Subject:
    """Have a virtual environment with the package, and return how to start its server. Raises CannotRun."""
    folder = REPOSITORY / f".venv-{package.partition('[')[0]}"
    python, stamp = folder / "bin" / "python", folder / "bench.stamp"
    wanted = " ".join((package, *_NEEDED))
    if not (stamp.is_file() and stamp.read_text() == wanted):
        run([sys.executable, "-m", "venv", folder], Path(REPOSITORY), timeout_s=120)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package, *_NEEDED]
        run(install, Path(REPOSITORY), timeout_s=INSTALL_TIMEOUT_S)
        stamp.write_text(wanted)
    return Subject(name, tuple(arguments), "", str(python), "iris-rest")


_MLSERVER = ("-m", "bench.peers.mlserver_server")
PEERS = {
    name: partial(prepare, name, package, arguments)
    for name, package, arguments in (
        ("MLServer REST", "mlserver", (*_MLSERVER, "--workers", "0")),
        ("MLServer REST, 2 workers", "mlserver", (*_MLSERVER, "--workers", "2")),
        ("Ray Serve", "ray[serve]", ("-m", "bench.peers.ray_server")),
    )
}
