"""How far a long run is, on stderr: a bar on a terminal, else a line for each step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Steps:
    """Shows lines; once `expect` has told how many steps there are, each line counts as one."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=None)

    def expect(self, steps: int) -> None:
        """Start to count."""
        self._bar.reset(self._task, total=steps)

    def __call__(self, line: str) -> None:
        """Show a line, as a step done if steps are counted."""
        counted = self._bar.tasks[0].total is not None
        self._bar.update(self._task, description=line, advance=1 if counted else 0)
        if not self._bar.console.is_terminal:
            self._bar.console.print(line, soft_wrap=True, highlight=False, markup=False)


@contextmanager
def steps() -> Iterator[Steps]:
    """Lend the display."""
    console = Console(stderr=True)
    columns = (BarColumn(), TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        yield Steps(bar)
