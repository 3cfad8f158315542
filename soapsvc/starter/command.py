"""The command `init DIR`: its options, and what it says when the folder stands."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from soapsvc.starter.folder import write_starter


def add_init_parser(commands: Any) -> None:
    """Add the sub-command `init`; its `run` takes the options, returns 0 and raises LoadError."""
    parser = commands.add_parser(
        "init",
        help="make a folder to start from: a model, its contract, settings, a compose file",
        description="Make a folder that serves: the model iris, its WSDL, settings with comments, a compose file.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder to make; new or empty")
    parser.set_defaults(run=run_init)


def run_init(options: argparse.Namespace) -> int:
    """Write the folder and name the next steps. Raises LoadError: it is not empty, or can't be written."""
    folder: Path = options.folder
    write_starter(folder)
    print(
        f"{folder} is ready to serve; {folder / 'README.md'} tells more. Next:\n"
        f"  cd {folder}\n"
        "  soapsvc serve --settings soapsvc.toml\n"
        "  soapsvc status http://localhost:8080    (in another terminal)"
    )
    return 0
