"""`docs/interop.md`: the matrix as a page, and the cells of a page that was written before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interop.client import Column, Verdict
from interop.features import FEATURES, Feature

_HEAD = """\
# Which clients work

<!-- Written by `make interop`; changes by hand are lost. -->

Each client was built from the WSDLs and run against a server with real models, which recorded what travelled.
`make interop` does it all again, and `make test` compares the cells with this page.
[More clients](other-clients.md) were tried by hand.

`yes` works; `no*` does not, by a fault of the client; `-` the client has no such thing; `no` does not, and should.
Numbers lead to the notes.
"""


def write_page(columns: Sequence[Column]) -> str:
    """Return the page."""
    notes: dict[tuple[str, str], list[str]] = {}  # client and text -> the features it is about
    rows = [[feature.title, *(_cell(column, feature, notes) for column in columns)] for feature in FEATURES]
    numbered = enumerate(notes.items(), 1)
    return "\n".join(
        [
            _HEAD,
            *_table(["", *(column.client.title for column in columns)], rows),
            "\n## Versions\n",
            *_table(["client", "version"], [[one.client.title, one.version or "not built"] for one in columns]),
            "\n## Notes\n",
            *(f"{number}. {client}, {'; '.join(titles)}: {text}" for number, ((client, text), titles) in numbered),
            "\n## What a row means\n",
            *_table(["feature", "`yes` when"], [[feature.title, feature.judged] for feature in FEATURES]),
            "",
        ]
    )


def _cell(column: Column, feature: Feature, notes: dict[tuple[str, str], list[str]]) -> str:
    cell = column.cells[feature.key]
    if not cell.note:
        return cell.verdict.value
    note = (column.client.title, " ".join(cell.note.split()))
    notes.setdefault(note, []).append(feature.title)
    return f"{cell.verdict.value} [{list(notes).index(note) + 1}]"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"


def cells_of(page: str) -> dict[tuple[str, str], str]:
    """Return (client, feature) -> verdict of a page, as titles and words."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    head, rows = _split(lines[0]), [_split(line) for line in lines[2 : 2 + len(FEATURES)]]
    return {
        (client, row[0]): cell.split(" [")[0] for row in rows for client, cell in zip(head[1:], row[1:], strict=True)
    }


def _split(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def failures(columns: Sequence[Column]) -> list[str]:
    """Return a line for each cell that says no by this project's fault, one for those of the same reason."""
    titles: dict[tuple[str, str], list[str]] = {}
    for column in columns:
        for feature in FEATURES:
            cell = column.cells[feature.key]
            if cell.verdict is Verdict.NO:
                titles.setdefault((column.client.title, cell.note), []).append(feature.title)
    return [f"{client}, {'; '.join(failed)}: {note}" for (client, note), failed in titles.items()]
