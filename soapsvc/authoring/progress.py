"""Progress on stderr for what takes longer than a second; nothing at all where stderr is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

T = TypeVar("T")
Step = Callable[[str], None]  # takes the name of what begins now
DELAY_S = 1.0  # what is done sooner shows no bar


@contextmanager
def steps() -> Iterator[Step]:
    """Lend a function that names the step under way, beside a spinner that goes when the block ends.

    An empty name takes the spinner away until the next step, as for a question that the user is to answer.
    Neither `steps` nor `track` may stand inside this block: a terminal shows one of them at a time.
    """
    if not sys.stderr.isatty():
        yield lambda name: None
        return
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    with _progress(SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()) as progress:
        task = progress.add_task("", total=None)

        def step(name: str) -> None:
            if name:
                progress.start()
                progress.update(task, description=name, refresh=True)
            else:
                progress.stop()

        yield step


def track(items: Sequence[T], what: str) -> Iterator[T]:
    """Yield the items; after a second a bar shows how many of them are done, until the last is."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

    begin = time.monotonic()
    progress = _progress(TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    task = progress.add_task(what, total=len(items))
    with ExitStack() as shown:
        for item in items:
            yield item
            progress.advance(task)
            if not progress.live.is_started and time.monotonic() - begin >= DELAY_S:
                shown.enter_context(progress)


def _progress(*columns: ProgressColumn) -> Progress:
    from rich.console import Console
    from rich.progress import Progress

    # What is printed meanwhile goes above the progress, unless it goes to a file.
    return Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty())
