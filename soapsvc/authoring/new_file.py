"""Files that appear whole or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soapsvc.authoring.source import SourceError


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Lend a temporary name beside path; it takes path's place when the block succeeds, and goes when it fails."""
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}.new")
    try:
        yield fresh
        fresh.replace(path)
    except OSError as err:
        raise SourceError(f"{path}: can't be written: {err.strerror or err}") from err
    finally:
        fresh.unlink(missing_ok=True)
