"""What tests of the console share: a browser, a server that an administrator may act on, axe-core."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, Server, serving

TOKEN = "a-token-of-16-and-more"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models with a history: iris in two contracts, of which v2 has another label; and one that can't be loaded."""
    models = tmp_path_factory.mktemp("history") / "models"
    for version in (1, 2, 3):
        shutil.copytree(ROOT / "models/iris/1", models / "iris" / str(version))
    manifest = yaml.safe_load((ROOT / "models/iris/1/model.yaml").read_text())
    for version, contract in ((2, {"version": 2}), (3, {})):
        changed = manifest | {"contract": manifest["contract"] | contract}
        (outputs,) = (entries for name, entries in changed["contract"]["outputs"].items() if "labels" in entries)
        outputs["element"] = "species"
        (models / "iris" / str(version) / "model.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))
    shutil.copytree(ROOT / "models/language/1", models / "language/1")
    (models / "language/1/model.pb").write_bytes(b"no graph")
    return models


@pytest.fixture(scope="module")
def admin_server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers that serve it."""
    arguments = ["--workers", "2", "--admin-token", TOKEN, "--trial-load", "never"]
    arguments += ["--version-policy", '{"*": "all"}']
    with serving(folder, tmp_path_factory.mktemp("log") / "server.log", *arguments) as running:
        yield running


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, which npm installs."""
    if shutil.which("npm") is None:
        pytest.fail("npm is needed: apt-get install npm")
    place = tmp_path_factory.mktemp("axe")
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(place), "axe-core@4.14"]
    subprocess.run(command, check=True, cwd=place)
    return (place / "node_modules/axe-core/axe.min.js").read_text()
