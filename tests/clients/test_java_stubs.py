"""The golden Java API: a change of a contract shows here as the change that a Java developer will see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.java_stubs import CLASSES, GOLDEN, MODELS, public_api


@pytest.mark.parametrize("model", MODELS)
def test_stubs_have_the_golden_public_api(model: str, built: Path) -> None:
    assert built / "classes" == CLASSES
    golden = (GOLDEN / f"{model}.txt").read_text()
    assert public_api(model) == golden, "if the change is meant: python -m tests.clients.java_stubs"
