"""The blocks of code in the documentation: where each stands, its language, and the commands of one for a shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "clients").glob("*/README.md")),
    ROOT / "examples/README.md",
]


@dataclass(frozen=True)
class Block:
    """One block. page: as README.md or docs/faults.md; line: its first; language "" for one by indentation alone."""

    page: str
    line: int
    language: str
    text: str

    @property
    def first(self) -> str:
        """Its first line."""
        return self.text.partition("\n")[0]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.first}"


def blocks(path: Path) -> list[Block]:
    """Return the blocks of a page in their order."""
    page, lines = str(path.relative_to(ROOT)), path.read_text().splitlines()
    found: list[Block] = []
    at = 0
    while at < len(lines):
        fence = re.fullmatch(r"(\s*)(`{3,})(\w*)", lines[at])
        indented = lines[at].startswith("    ") and not lines[at - 1].strip() and not _in_list(lines, at)
        end = at + 1
        if fence:
            end = next(n for n in range(at + 1, len(lines)) if lines[n].strip() == fence[2])
            text = "\n".join(line.removeprefix(fence[1]) for line in lines[at + 1 : end]) + "\n"
            found.append(Block(page, at + 2, fence[3], text))
            end += 1
        elif indented:
            while end < len(lines) and lines[end].startswith("    "):
                end += 1
            found.append(Block(page, at + 1, "", "\n".join(line[4:] for line in lines[at:end]) + "\n"))
        at = end
    return found


def _in_list(lines: list[str], at: int) -> bool:
    """Return whether an indented line goes on with an item of a list."""
    before = (line for line in reversed(lines[:at]) if line.strip() and not line.startswith(" "))
    return re.match(r"([-*]|\d+\.) ", next(before, "")) is not None


def commands(text: str) -> Iterator[str]:
    """Yield each command of a block: a line, with those that a backslash or a here-document adds."""
    lines = iter(text.splitlines())
    for line in lines:
        command = line
        while command.endswith("\\"):
            command += "\n" + next(lines)
        if until := re.search(r"<<'?(\w+)'?$", line):
            while not command.endswith(f"\n{until[1]}"):
                command += "\n" + next(lines)
        if command.strip() and not command.startswith("#"):
            yield command
