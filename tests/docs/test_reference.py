"""The reference tables of docs/ stand there as the code gives them."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docsite.command_line import commands
from docsite.manifest_tables import manifest_models
from docsite.reference import TABLES, filled, pages
from docsite.tables import plain
from docsite.values import allowed
from soapsvc.cli import command_parser
from soapsvc.settings import Settings
from tests.conftest import ROOT


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_tables_are_what_the_code_gives(path: Path) -> None:
    assert path.read_text() == filled(path.read_text()), "make docs writes them anew"


def test_every_table_stands_in_a_page() -> None:
    text = "".join(path.read_text() for path in pages())
    assert [name for name in TABLES if text.count(f"<!-- made: {name} -->") != 1] == []


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_is_described(name: str) -> None:
    assert Settings.model_fields[name].description


@pytest.mark.parametrize("model", manifest_models(), ids=lambda model: model.__name__)
def test_every_key_of_the_manifest_is_described(model: type[BaseModel]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("name", "parser"), [(name, parser) for name, _, parser in commands(command_parser("soapsvc"))]
)
def test_every_argument_of_a_command_is_described(name: str, parser: argparse.ArgumentParser) -> None:
    assert [action.dest for action in parser._actions if not action.help] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("port", "0 to 65535"),
        ("gzip", "`auto`, `never`"),
        ("trial_timeout_s", "above 0, to 86400"),
        ("models", "path"),
        ("contracts", "path"),
        ("op_libraries", "list of text"),
        ("version_policy", "name: value"),
    ],
)
def test_allowed_values_of_a_setting_are_told(name: str, words: str) -> None:
    field: FieldInfo = Settings.model_fields[name]
    assert allowed(field) == words


def test_sentence_of_the_code_is_no_markup_and_links_to_the_page_it_names() -> None:
    told = "Folder \\<a>/\\*: [Labels](operations.md#labels), `<x>`."
    assert plain("Folder <a>/*: docs/operations.md#labels, `<x>`.") == told
    assert plain("docs/metrics.md") == "[Metrics](metrics.md)"


def test_sentence_of_the_code_names_no_place_that_is_none() -> None:
    with pytest.raises(ValueError, match="there is no such heading"):
        plain("docs/metrics.md#none")


def test_settings_page_leaves_none_out() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    assert [name for name in Settings.model_fields if f"\n| `{name}` |" not in page] == []
