"""Where a page of the site comes from in the repository, and where a link between two of them leads.

Pages stand in docs/. The READMEs elsewhere that are worth a page are `READMES`; any other file or folder that a page
links to becomes a page under files/, which shows it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = "docs"
READMES = {
    "README.md": "first-call.md",
    "CHANGES.md": "changes.md",
    "LICENSE": "licence.md",
    "clients/java/README.md": "clients/java.md",
    "clients/csharp/README.md": "clients/csharp.md",
    "clients/soapui/README.md": "clients/soapui.md",
    "examples/README.md": "examples.md",
}  # where it stands: its page
LINK = re.compile(r"(\]\()([^)\s]+)(\))")
ELSEWHERE = ("http:", "https:", "mailto:", "#")


def links(markdown: str) -> Iterator[str]:
    """Yield the targets of links into the repository that a page has outside its code blocks, without anchors."""
    for line, is_code in _lines(markdown):
        for _, target, _ in [] if is_code else LINK.findall(line):
            if not target.startswith(ELSEWHERE):
                yield target.partition("#")[0]


def _lines(markdown: str) -> Iterator[tuple[str, bool]]:
    """Yield each line, and whether it belongs to a fenced block of code."""
    fence = ""
    for line in markdown.splitlines():
        opens = re.match(r"`{3,}", line)
        yield line, bool(fence or opens)
        if fence:
            fence = "" if line.strip() == fence else fence
        elif opens:
            fence = opens[0]


def resolved(source: str, target: str) -> str:
    """Return the path in the repository that a link on the page from `source` leads to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))


def page_of(path: str) -> str:
    """Return the page, as its path below docs/, that stands for a file or folder of the repository."""
    if path in READMES:
        return READMES[path]
    if path.startswith(f"{DOCS}/"):
        return path.removeprefix(f"{DOCS}/")
    return f"files/{path}/index.md" if (ROOT / path).is_dir() else f"files/{path}.md"


def source_of(page: str) -> str:
    """Return the path in the repository of a page's text."""
    return {made: path for path, made in READMES.items()}.get(page, f"{DOCS}/{page}")


def rewritten(markdown: str, source: str, page: str) -> str:
    """Return a page's text with every link into the repository led to the page that stands for its target."""

    def lead(found: re.Match[str]) -> str:
        if found[2].startswith(ELSEWHERE):
            return found[0]
        target, hash_sign, anchor = found[2].partition("#")
        to = posixpath.relpath(page_of(resolved(source, target)), posixpath.dirname(page) or ".")
        return f"{found[1]}{to}{hash_sign}{anchor}{found[3]}"

    return "\n".join(line if is_code else LINK.sub(lead, line) for line, is_code in _lines(markdown))


def shown(path: str) -> str:
    """Return the text of a page that shows a file of the repository, or lists a folder."""
    where = ROOT / path
    if where.is_dir():
        names = sorted(child.name for child in where.iterdir() if child.is_file())
        title, content = f"{path}/", "\n".join(f"- [{name}]({name}.md)" for name in names)
    else:
        language = {".py": "python", ".wsdl": "xml", ".yml": "yaml"}.get(where.suffix, where.suffix.lstrip("."))
        title, content = path, f"````{language}\n{where.read_text().rstrip()}\n````"
    return f"---\nsearch:\n  exclude: true\n---\n\n# {title}\n\n{content}\n"
