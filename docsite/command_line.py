"""The page of the command line: each command with its arguments and options, from the parsers themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator

from docsite.tables import ended, plain, table
from soapsvc.cli import command_parser
from soapsvc.transport.serve_command import SERVE

HIDDEN = ("help", "run")


def command_sections() -> str:
    """Return a section for each command of `python -m soapsvc`."""
    return "\n\n".join(
        _section(name, text, parser) for name, text, parser in commands(command_parser("soapsvc")) if name != SERVE
    )


def commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Yield name, what it does and parser of each command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for told in action._choices_actions:
                yield told.dest, told.help or "", action.choices[told.dest]


def _section(name: str, text: str, parser: argparse.ArgumentParser) -> str:
    needed = [_call(action) for action in _arguments(parser) if action.required or not action.option_strings]
    parts = [f"## {name}", ended(plain(text)), f"```sh\npython -m soapsvc {' '.join([name, *needed])}\n```"]
    rows = [_row(action) for action in _arguments(parser)]
    return "\n\n".join([*parts, table(("argument", "default", "meaning"), rows)])


def _arguments(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.dest not in HIDDEN]


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    shown = action.metavar or (action.dest.upper().replace("-", "_") if action.choices is None else "WORD")
    return f"{shown} ..." if action.nargs in ("+", "*") else str(shown)


def _call(action: argparse.Action) -> str:
    if not action.option_strings:
        shown = _value(action)
        return f"[{shown}]" if action.nargs == "?" else shown
    return " ".join([action.option_strings[-1], *([_value(action)] if _value(action) else [])])


def _row(action: argparse.Action) -> Iterable[str]:
    meaning = plain((action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%"))
    if action.choices is not None:
        meaning = f"{meaning}: " + ", ".join(f"`{choice}`" for choice in action.choices)
    if isinstance(action, argparse._AppendAction):
        meaning += "; may be given again"
    return f"`{_call(action)}`", _default(action), ended(meaning)


def _default(action: argparse.Action) -> str:
    if action.required:
        return "required"
    if action.nargs == 0 or action.default in (None, [], (), ""):
        return ""
    return f"`{action.default:g}`" if isinstance(action.default, float) else f"`{action.default}`"
