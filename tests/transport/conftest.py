"""What the tests of several servers share: a slow model, and threads to call it with."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def slow_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models iris and slow."""
    models = tmp_path_factory.mktemp("slow") / "models"
    shutil.copytree(ROOT / "models/iris", models / "iris")
    subprocess.run([sys.executable, "tests/transport/slow_model.py", str(models / "slow/1")], cwd=ROOT, check=True)
    return models


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as threads:
        yield threads
