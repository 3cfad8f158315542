"""What MkDocs calls while it builds the site: pages from outside docs/, and what GitHub's Markdown does otherwise."""

from __future__ import annotations

import re
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docsite.sources import READMES, ROOT, links, page_of, resolved, rewritten, shown, source_of

TABLE_ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the READMEs, and a page for each other file and folder outside docs/ that a page links to."""
    for path, page in READMES.items():
        text = (ROOT / path).read_text()
        files.append(File.generated(config, page, content=text if path.endswith(".md") else shown(path)))
    waiting = [path for file in files.documentation_pages() for path in _linked(file)]
    while waiting:
        path = waiting.pop()
        if files.get_file_from_path(page_of(path)) is None and (ROOT / path).exists():
            files.append(File.generated(config, page_of(path), content=shown(path)))
            if (ROOT / path).is_dir():
                waiting += [f"{path}/{child.name}" for child in (ROOT / path).iterdir() if child.is_file()]
    return files


def _linked(file: File) -> list[str]:
    source = source_of(file.src_uri)
    return [resolved(source, link) for link in links(file.content_string)]


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    r"""Lead links to pages of the site, and take the backslash from `\|` in a table's code, which only GitHub needs."""
    if not page.file.src_uri.startswith("files/"):
        markdown = rewritten(markdown, source_of(page.file.src_uri), page.file.src_uri)
    return TABLE_ROW.sub(lambda row: CODE.sub(lambda code: code[0].replace("\\|", "|"), row[0]), markdown)
