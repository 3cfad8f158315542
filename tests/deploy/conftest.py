"""What the tests of a deployment share: soapsvc as others install it, from a wheel, far from the checkout."""

from __future__ import annotations

import shutil
import site
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.conftest import ROOT

SOURCES = ("soapsvc", "pyproject.toml", "README.md", "LICENSE")


@dataclass(frozen=True)
class Installed:
    """An environment that the wheel was installed into, in a folder that every user may read."""

    folder: Path
    wheel: Path

    @property
    def bin(self) -> Path:
        """Where its commands are."""
        return self.folder / "venv/bin"

    def run(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run its soapsvc, outside of the checkout."""
        command = [str(self.bin / "soapsvc"), *arguments]
        return subprocess.run(command, cwd=cwd or self.folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="session")
def installed() -> Iterator[Installed]:
    """The wheel in an environment of its own, which takes what soapsvc needs from the tests' one."""
    with TemporaryDirectory(prefix="soapsvc-installed-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        source = folder / "source"  # setuptools writes beside what it builds
        for name in SOURCES:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            source.mkdir(exist_ok=True)
            copy(ROOT / name, source / name)
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(source)], check=True)
        shutil.rmtree(source)
        (wheel,) = folder.glob("soapsvc-*.whl")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
        (packages,) = folder.glob("venv/lib/python*/site-packages")
        (packages / "needs.pth").write_text("".join(f"{path}\n" for path in site.getsitepackages()))
        subprocess.run([*pip, "--python", str(folder / "venv"), "install", "--no-deps", str(wheel)], check=True)
        yield Installed(folder, wheel)
