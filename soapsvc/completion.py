"""The command `completion SHELL`: prints what a shell needs to complete commands, options, values and paths.

Generated from the parsers of all commands, so that it can't lag behind them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import shtab


def add_completion_parser(commands: Any, whole: Callable[[], argparse.ArgumentParser]) -> None:
    """Add `completion` to the command line. whole: makes the parser of all commands, as the shell calls them."""
    parser = commands.add_parser(
        "completion",
        help="print a script that completes soapsvc in a shell",
        description='Print a completion script. For this bash: eval "$(soapsvc completion bash)"',
    )
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS, help="the shell that reads it")
    parser.set_defaults(run=lambda options: _completion(options.shell, whole()))


def _completion(shell: str, parser: argparse.ArgumentParser) -> int:
    for action in _actions(parser):
        if _takes_path(action):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(parser, shell=shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield what a parser and those of its commands take."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)


def _takes_path(action: argparse.Action) -> bool:
    """Whether a file or folder can be given, by its type, or by what its help says of it."""
    named = action.metavar in {"FILE", "Path", "{Path,null}"} or (action.help or "").startswith("as models/")
    return action.type is Path or named
