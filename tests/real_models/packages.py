"""Where the packages with real models are: beside the environment, as what they ask for would break it."""

from __future__ import annotations

import sys
from importlib.metadata import distributions
from pathlib import Path

PACKAGES = Path(sys.prefix) / "real-models"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ASTRONAUT = PACKAGES / "skimage/data/astronaut.png"


class PackagesMissing(Exception):
    """A package is not installed; the message has the command that installs all."""


def add_packages() -> None:
    """Let Python import the packages. Raises PackagesMissing."""
    wanted = {line for line in REQUIREMENTS.read_text().splitlines() if line and not line.startswith("#")}
    found = {f"{each.metadata['Name']}=={each.version}" for each in distributions(path=[str(PACKAGES)])}
    missing = sorted(wanted - found)
    if missing:
        raise PackagesMissing(
            f"{', '.join(missing)} missing in {PACKAGES}; install them with\n  {sys.executable} -m pip install "
            f"--no-deps --upgrade --target {PACKAGES} --requirement {REQUIREMENTS}"
        )
    if str(PACKAGES) not in sys.path:
        sys.path.append(str(PACKAGES))
