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


def prepare(name: str, package: str, arguments: Sequence[str], workload: str = "iris-rest") -> Subject:
    """Have a virtual environment with the package, and return how to start its server. Raises CannotRun."""
    python = environment(package.partition("[")[0], (package, *_NEEDED))
    return Subject(name, tuple(arguments), "", str(python), workload)


def environment(name: str, needed: Sequence[str]) -> Path:
    """Have a virtual environment of that name with what is needed, and return its Python. Raises CannotRun."""
    folder = REPOSITORY / f".venv-{name}"
    python, stamp = folder / "bin" / "python", folder / "bench.stamp"
    wanted = " ".join(needed)
    if not (stamp.is_file() and stamp.read_text() == wanted):
        run([sys.executable, "-m", "venv", folder], Path(REPOSITORY), timeout_s=120)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *needed]
        run(install, Path(REPOSITORY), timeout_s=INSTALL_TIMEOUT_S)
        stamp.write_text(wanted)
    return python


_MLSERVER = ("-m", "bench.peers.mlserver_server")
PEERS = {
    name: partial(prepare, name, package, arguments, workload)
    for name, package, arguments, workload in (
        ("MLServer REST", "mlserver", (*_MLSERVER, "--workers", "0"), "iris-rest"),
        ("MLServer REST, 2 workers", "mlserver", (*_MLSERVER, "--workers", "2"), "iris-rest"),
        ("MLServer gRPC", "mlserver", (*_MLSERVER, "--workers", "0", "--grpc"), "iris-grpc"),
        ("MLServer gRPC, 2 workers", "mlserver", (*_MLSERVER, "--workers", "2", "--grpc"), "iris-grpc"),
        ("Ray Serve", "ray[serve]", ("-m", "bench.peers.ray_server"), "iris-rest"),
    )
}
