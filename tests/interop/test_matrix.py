"""Every client of the matrix against the server; docs/interop.md must say what comes of it."""

from __future__ import annotations

import pytest

from interop.client import Column
from interop.matrix import run_matrix
from interop.page import cells_of, failures, write_page
from interop.registry import CLIENTS
from tests.conftest import ROOT

pytestmark = pytest.mark.timeout(2400)  # all clients are installed, built and run: ten minutes on a busy machine


@pytest.fixture(scope="module")
def columns() -> list[Column]:
    return run_matrix(CLIENTS, ROOT / "build" / "interop", print)


def test_no_client_fails_by_our_fault(columns: list[Column]) -> None:
    assert failures(columns) == []


def test_page_has_the_cells_of_this_run(columns: list[Column]) -> None:
    committed = (ROOT / "docs" / "interop.md").read_text(encoding="utf-8")
    assert cells_of(write_page(columns)) == cells_of(committed), "run `make interop` and look at what changed"
