"""`docs/interop.md`: the matrix as a page, and the cells of a page that was written before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interop.client import Column, Verdict
from interop.features import FEATURES

_HEAD = """\
# Which clients work

<!-- Written by `make interop`; changes by hand are lost. -->

Each client was built from the WSDLs and run against a server with real models, which recorded what travelled.
`make interop` does it all again, and `make test` compares the cells with this page.

`yes` works; `no*` does not, by a fault of the client; `-` the client has no such thing; `no` does not, and should.
Numbers lead to the notes.
"""


def write_page(columns: Sequence[Column]) -> str:
    """Return the page."""
    notes: list[str] = []
    rows = [
        [feature.title, *(_cell(column, feature.key, feature.title, notes) for column in columns)]
        for feature in FEATURES
    ]
    return "\n".join(
        [
            _HEAD,
            *_table(["", *(column.client.title for column in columns)], rows),
            "\n## Versions\n",
            *_table(["client", "version"], [[one.client.title, one.version or "not built"] for one in columns]),
            "\n## Notes\n",
            *(f"{number}. {note}" for number, note in enumerate(notes, 1)),
            "\n## What a row means\n",
            *_table(["feature", "`yes` when"], [[feature.title, feature.judged] for feature in FEATURES]),
            "",
        ]
    )


def _cell(column: Column, key: str, title: str, notes: list[str]) -> str:
    cell = column.cells[key]
    if not cell.note:
        return cell.verdict.value
    notes.append(f"{column.client.title}, {title}: {' '.join(cell.note.split())}")
    return f"{cell.verdict.value} [{len(notes)}]"


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
