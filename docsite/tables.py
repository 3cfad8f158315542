"""Markdown tables, and sentences of the code as their cells."""

from __future__ import annotations

import re
from collections.abc import Iterable

from docsite.sources import DOCS, ROOT

PAGE = re.compile(r"\bdocs/([\w-]+\.md)(#[\w-]+)?")
CODE = re.compile(r"(`[^`]+`)")


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table of cells that are Markdown."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def plain(sentence: str) -> str:
    """Return a sentence of the code as Markdown: a page that it names is a link, and nothing is taken for markup."""
    parts = CODE.split(" ".join(sentence.split()))
    return "".join(part if CODE.fullmatch(part) else _escaped(part) for part in parts)


def _escaped(text: str) -> str:
    text = re.sub(r"([*<\[\]])", r"\\\1", text)
    return PAGE.sub(lambda found: f"[{_heading(found[1], found[2] or '')}]({found[1]}{found[2] or ''})", text)


def _heading(page: str, anchor: str) -> str:
    """Return the heading of a page of docs/ that an anchor leads to, the first without one."""
    for heading in re.findall(r"^#+ (.+)$", (ROOT / DOCS / page).read_text(), re.MULTILINE):
        if not anchor or f"#{re.sub(r'[^a-z0-9 -]', '', heading.lower()).replace(' ', '-')}" == anchor:
            return str(heading)
    raise ValueError(f"docs/{page}{anchor}: there is no such heading")


def ended(sentence: str) -> str:
    """Return a sentence with a capital and a full stop."""
    return sentence[:1].upper() + sentence[1:] + ("" if sentence.endswith((".", "?")) else ".")
