"""The documentation against the code: what a page must name is read from the source, not copied here."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from soapsvc import errors
from soapsvc.soap.faults import FAULT_FOR, FaultType
from tests.conftest import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGES.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "clients").glob("*/README.md")),
]
LINK = re.compile(r"\]\(([^)\s]+)\)")
MODULE = re.compile(r"\bsoapsvc/[A-Za-z0-9_/]+\.py\b")
README_COMMANDS = re.findall(r"^(make \S+)", (ROOT / "README.md").read_text(), re.MULTILINE)
COMMON_MEMBERS = ("code", "message", "requestId")
ERRORS = {error.__name__ for error in errors.ServingError.__subclasses__()}


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def rows(text: str) -> list[list[str]]:
    """Return the cells of every row of every table, without the backquotes around a cell."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def section(text: str, title: str) -> str:
    """Return what stands under a heading, up to the next of its level or above; fails when it is missing."""
    found = re.search(rf"^(#+) [^\n]*\b{title}\b[^\n]*\n", text, re.MULTILINE)
    assert found, f"no heading names {title}"
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


# Faults


def codes() -> set[tuple[str, str]]:
    """Return error and code of each place in the source that makes a ServingError."""
    found = set()
    for path in (ROOT / "soapsvc").rglob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
                found |= {(node.func.id, code) for code in first_argument(node)}
            elif isinstance(node, ast.ClassDef) and node.name in ERRORS:
                supers = [call for call in ast.walk(node) if isinstance(call, ast.Call) and is_super_init(call)]
                found |= {(node.name, code) for call in supers for code in first_argument(call)}
    return found


def first_argument(call: ast.Call) -> list[str]:
    """Return the code that a call gives, none when it hands one on or takes it from elsewhere."""
    first = call.args[0] if call.args else None
    return [first.value] if isinstance(first, ast.Constant) and isinstance(first.value, str) else []


def is_super_init(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "__init__"


def makes_code_unseen() -> list[str]:
    """Return the places that give an InvalidInput or a ModelNotFound a code which `codes` can't read."""
    unseen = []
    for path in (ROOT / "soapsvc").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in {"InvalidInput", "ModelNotFound"} and not first_argument(node):
                unseen.append(f"{path.name}: {ast.unparse(node.args[0])}")
    return unseen


def test_codes_are_literals_wherever_an_error_is_made() -> None:
    assert makes_code_unseen() == ["errors.py: self.code"]  # InvalidInput.inside hands its own code on


def test_every_kind_of_error_has_a_code_in_the_source() -> None:
    assert {name for name, _ in codes()} == ERRORS


@pytest.mark.parametrize(("error", "code"), sorted(codes()))
def test_code_stands_in_the_section_of_its_fault(error: str, code: str) -> None:
    assert code in {cell for row in rows(section(page("faults.md"), error)) for cell in row}


def test_faults_page_lists_no_code_that_is_none() -> None:
    known = {code for _, code in codes()} | {"code", "field", "expected", "received", "---"}
    listed = {row[0] for name in ("InvalidInput", "ModelNotFound") for row in rows(section(page("faults.md"), name))}
    assert listed - known == set()


@pytest.mark.parametrize("fault", FAULT_FOR.values(), ids=lambda fault: fault.name)
def test_fault_stands_in_its_page_with_members_and_faultcode(fault: FaultType) -> None:
    text = section(page("faults.md"), fault.name)
    assert fault.code.value in text
    assert [item.element for item in fault.members if f"`{item.element}`" not in text] == []


def test_members_of_every_fault_stand_in_the_faults_page() -> None:
    named = {row[0] for row in rows(section(page("faults.md"), "Typed faults"))}
    assert set(COMMON_MEMBERS) <= named


# README, links, names of files


@pytest.mark.parametrize("command", ["make serve", "make test"])
def test_readme_shows_the_command(command: str) -> None:
    assert command in README_COMMANDS


@pytest.mark.parametrize("command", sorted(set(README_COMMANDS)))
def test_readme_shows_make_targets_that_exist(command: str) -> None:
    assert re.search(rf"^{command.split()[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_point_to_files(path: Path) -> None:
    links = [
        link for link in LINK.findall(path.read_text()) if not link.startswith(("http:", "https:", "#", "mailto:"))
    ]
    assert [link for link in links if not (path.parent / link.split("#")[0]).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_names_only_modules_that_exist(path: Path) -> None:
    assert [name for name in MODULE.findall(path.read_text()) if not (ROOT / name).is_file()] == []


def test_docs_index_lists_every_page() -> None:
    linked = set(LINK.findall(page("README.md")))
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"} <= linked
