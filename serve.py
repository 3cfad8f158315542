"""Serve the models of a folder as SOAP services: arguments -> Settings -> run. See `python serve.py --help`."""

from __future__ import annotations

import sys

from soapsvc.settings import SettingsError, read_settings
from soapsvc.transport.run import run
from soapsvc.transport.start import StartError


def main() -> int:
    """Return the exit code: 0 after a normal stop, 2 when the server can't start."""
    try:
        run(read_settings(sys.argv[1:]))
    except (SettingsError, StartError) as err:
        print(f"serve.py: {err}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
