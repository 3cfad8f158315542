"""One client of the matrix: how it is built, run and judged."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from interop.features import FEATURES, Seen
from interop.tools import CannotRun

PROGRAMS = Path(__file__).parent / "clients"
_LONGEST_RUN_S = 240


class Verdict(Enum):
    """What a cell says."""

    YES = "yes"
    NO = "no"  # it should work and does not: this project's fault until somebody shows otherwise
    THEIRS = "no*"  # it does not work, and the client is known to be the reason
    NONE = "-"  # the client has no such feature


@dataclass(frozen=True)
class Cell:
    """One feature with one client. note: why not, or what was needed beyond the client's defaults."""

    verdict: Verdict
    note: str = ""


@dataclass(frozen=True)
class Workplace:
    """Where a client is built. wsdls: folder of `<model>.wsdl` and `<model>.soap12.wsdl` of every model.

    url: of the server, for tools that take no file.  scene: a photograph in which the digits 173 stand.
    """

    folder: Path
    url: str
    wsdls: Path
    picture: Path
    scene: Path


@dataclass(frozen=True)
class Built:
    """A client ready to run: `command URL PICTURE SCENE` prints a line of JSON for each feature.

    cells: of features that building it already told.
    """

    version: str
    command: Sequence[str | Path]
    cells: Mapping[str, Cell] = field(default_factory=dict)


@dataclass(frozen=True)
class Client:
    """One column of the matrix.

    key: in paths.  lacks: features that it has not, and why.
    fails: features that fail by its own fault: what the failure then says, and why it is the client's.
    """

    key: str
    title: str
    build: Callable[[Workplace], Built]
    lacks: Mapping[str, str] = field(default_factory=dict)
    fails: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """What came of a client. version: empty when it could not be built."""

    client: Client
    version: str
    cells: Mapping[str, Cell]


def build_or_keep(client: Client, place: Workplace) -> Built:
    """Build a client, unless the last build was of the same WSDLs and programs. Raises CannotRun."""
    kept, key = place.folder / "built.json", _key(place)
    if kept.is_file():
        found = json.loads(kept.read_text())
        if found.pop("key") == key:
            cells = {name: Cell(Verdict(verdict), note) for name, (verdict, note) in found.pop("cells").items()}
            return Built(cells=cells, **found)
        kept.unlink()
    built = client.build(place)
    cells = {name: (cell.verdict.value, cell.note) for name, cell in built.cells.items()}
    command = list(map(str, built.command))
    kept.write_text(json.dumps({"key": key, "version": built.version, "command": command, "cells": cells}))
    return built


def _key(place: Workplace) -> str:
    """Return a hash of what a build depends on; the server's port in the WSDLs is none of it."""
    digest = hashlib.sha256()
    programs = [path for path in PROGRAMS.parent.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    for path in [*sorted(programs), *sorted(place.wsdls.glob("*.wsdl"))]:
        digest.update(f"{path.name}\0".encode() + path.read_bytes().replace(place.url.encode(), b""))
    return digest.hexdigest()


def try_client(client: Client, place: Workplace, url: str, records: Path) -> Column:
    """Build and run a client. url: of the server; records: what that wrote of its exchanges."""
    place.folder.mkdir(parents=True, exist_ok=True)
    try:
        built = build_or_keep(client, place)
    except CannotRun as err:
        return Column(client, "", {feature.key: _cell(client, feature.key, False, str(err)) for feature in FEATURES})
    said, ended = _run(built, place, f"{url}/at/{client.key}")
    seen = [json.loads(line) for line in records.read_text().splitlines()] if records.exists() else []
    cells = {}
    for feature in FEATURES:
        if feature.key in built.cells:
            told = built.cells[feature.key]
            cells[feature.key] = _cell(client, feature.key, told.verdict is Verdict.YES, told.note)
            continue
        line = said.get(feature.key, {"ok": False, "note": f"the program did not get there: {ended}"})
        ok, note = bool(line["ok"]), str(line.get("note", ""))
        mine = [each for each in seen if (each["client"], each["feature"]) == (client.key, feature.key)]
        if ok and feature.seen is not None and not any(map(feature.seen, mine)):
            ok, note = False, f"worked, but not so on the wire: {_shown(mine)}"
        cells[feature.key] = _cell(client, feature.key, ok, note)
    return Column(client, built.version, cells)


def _cell(client: Client, key: str, ok: bool, note: str) -> Cell:
    if key in client.lacks:
        return Cell(Verdict.NONE, client.lacks[key])
    if ok:
        return Cell(Verdict.YES, note)
    if key in client.fails and client.fails[key][0] in note:
        return Cell(Verdict.THEIRS, client.fails[key][1])
    return Cell(Verdict.NO, note)


def _run(built: Built, place: Workplace, url: str) -> tuple[dict[str, Any], str]:
    """Return what the program said, by feature, and how it ended."""
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        try:
            done = subprocess.run(
                [*built.command, url, place.picture, place.scene], cwd=place.folder,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, timeout=_LONGEST_RUN_S,
            )  # fmt: skip
            printed, ended = done.stdout, f"exit code {done.returncode}"
        except subprocess.TimeoutExpired as err:
            printed, ended = err.stdout or b"", f"stopped after {_LONGEST_RUN_S} s"
        errors.seek(0)
        ended += f": {errors.read()[-1000:].strip()}"
    (place.folder / "said.txt").write_bytes(printed + ended.encode())
    lines = [line for line in printed.decode(errors="replace").splitlines() if line.startswith('{"feature"')]
    return {line["feature"]: line for line in map(json.loads, lines)}, ended


def _shown(seen: Sequence[Seen]) -> str:
    return "; ".join(
        f"{each['request_type']} {each['request_coding']} -> {each['answer_type']} {each['answer_coding']}"
        for each in seen
    )[:300] or "nothing came"  # fmt: skip
