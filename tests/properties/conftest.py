"""What the property tests share: how hypothesis looks for counterexamples, and services that give back what they get.

Each run tries the same examples: a test that failed fails again, and one that passed keeps passing.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from soapsvc.model.loader import load
from soapsvc.model.manager import ModelManager
from soapsvc.model.source import find_versions
from tests.kinds import build
from tests.properties.echo import build_echo
from tests.properties.web import Web, web_of

settings.register_profile(
    "tests", derandomize=True, max_examples=200, deadline=None, database=None, report_multiple_bugs=False
)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Web:
    """Return the models `kinds` and `echo` behind TensorFlow."""
    models: Path = tmp_path_factory.mktemp("properties") / "models"
    build(models / "kinds" / "1")
    build_echo(models / "echo" / "1")
    manager = ModelManager(load)
    web = web_of(manager)
    manager.load_all(find_versions(models), web.contracts.admit)
    return web
