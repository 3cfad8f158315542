"""The command `serve`: settings from its arguments, then the server until it is stopped. `serve.py` is the same."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from soapsvc.settings import SettingsError, read_settings
from soapsvc.transport.run import run
from soapsvc.transport.start import StartError

SERVE = "serve"
SERVE_SUMMARY = "serve the models of a folder until SIGTERM or Ctrl-C"


def serve(arguments: Sequence[str], program: str) -> int:
    """Return the exit code: 0 after a normal stop, 2 when the server can't start.

    program: what messages and `--help` call it.
    """
    try:
        run(read_settings(arguments, program))
    except (SettingsError, StartError) as err:
        print(f"{program}: {err}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0
