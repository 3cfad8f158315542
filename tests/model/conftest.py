"""What the tests of the model container share: each graph and each loaded model is made once a session."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from soapsvc.model.loader import load
from soapsvc.model.servable import Servable
from soapsvc.model.source import find_versions
from tests.kinds import build
from tests.model.folders import double_graph, graph_bytes


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servable]:
    """Return the model of tests/kinds.py, loaded."""
    models = tmp_path_factory.mktemp("models")
    build(models / "kinds" / "1")
    servable = load(find_versions(models)[0])
    yield servable
    servable.graph.close()


@pytest.fixture(scope="session")
def double() -> bytes:
    """Return the graph y = 2x over float32 (batch, 2)."""
    return graph_bytes(double_graph)


@pytest.fixture(scope="session")
def png() -> bytes:
    """Return the picture of the model kinds: 2 x 2 pixels with the values 1 to 12."""
    content = BytesIO()
    Image.fromarray(np.arange(1, 13, dtype=np.uint8).reshape(2, 2, 3)).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def kinds_values(png: bytes) -> dict[str, Any]:
    """Return one good instance for the model kinds: element -> value."""
    return {
        "flag": True, "count": -3, "total": 2**40, "level": 200, "ratio": 0.1, "offset": 0.5, "note": "你好 & <ü>",
        "left": 0.25, "right": 0.75, "series": np.array([1.5, 2.5, 3.5]), "codes": np.array([7, 8]),
        "words": ["one", "two"], "grid": np.arange(6, dtype=np.float32).reshape(2, 3), "picture": png,
    }  # fmt: skip


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Return an empty models folder."""
    path = tmp_path / "models"
    path.mkdir()
    return path
