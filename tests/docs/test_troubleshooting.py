"""docs/troubleshooting.md has each fault code, each start error and each line that the log has at WARNING and above."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.test_docs import codes, page, rows

LEVELS = {"warning": "WARNING", "error": "ERROR", "exception": "ERROR", "critical": "ERROR"}
ROWS = rows(page("troubleshooting.md").replace("\\|", "/"))


def calls() -> Iterator[ast.Call]:
    for path in sorted((ROOT / "soapsvc").rglob("*.py")):
        yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def logged() -> set[tuple[str, str]]:
    """Return level and template of each line with words of its own that the source logs at WARNING and above."""
    found = set()
    for call in calls():
        if isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS and ast.unparse(call.func.value) == "log":
            assert isinstance(call.args[0], ast.Constant), ast.unparse(call)
            found.add((LEVELS[call.func.attr], str(call.args[0].value)))
    return {(level, template) for level, template in found if re.sub(r"%\w", "", template).strip(": ")}


def said_at_start() -> set[str]:
    """Return the template of each StartError and PidFileError that holds words of its own."""
    found = set()
    for call in calls():
        if ast.unparse(call.func) in ("StartError", "PidFileError") and not isinstance(call.args[0], ast.Call):
            found.add(template_of(call.args[0]))
    return {template for template in found if template.strip("%s") and "expected a pid file" not in template} - {
        "%s: no server runs that holds it"  # of the command reload
    }


def template_of(node: ast.expr) -> str:
    """Return a string of the source with %s for what it is filled with."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "%s" for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else "%s"


def fits(template: str, line: str) -> bool:
    pattern = ".+".join(re.escape(part) for part in re.split(r"%[sd]", template.split("\n")[0]))
    return re.fullmatch(pattern, line) is not None


@pytest.mark.parametrize(("level", "template"), sorted(logged()))
def test_line_of_the_log_stands_in_the_page_at_its_level(level: str, template: str) -> None:
    assert [row[0] for row in ROWS if fits(template, row[0]) and level in row[1]]


@pytest.mark.parametrize("template", sorted(said_at_start()))
def test_start_error_stands_in_the_page(template: str) -> None:
    assert [row[0] for row in ROWS if fits(template.replace("`reload`", "%s"), row[0].replace("`", ""))]


@pytest.mark.parametrize(("error", "code"), sorted(codes()))
def test_code_of_a_fault_stands_in_the_page_beside_its_fault(error: str, code: str) -> None:
    assert [row for row in ROWS if f"`{error}`".strip("`") in row[0] and f"{code}" in re.findall(r"[\w-]+", row[0])]
