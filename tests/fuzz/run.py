"""`python -m tests.fuzz.run TARGET LIBFUZZER-ARGUMENTS`: one target under atheris, until it ends the process."""

from __future__ import annotations

import logging
import sys

import atheris


def main() -> None:
    """Fuzz; libFuzzer ends the process with code 0, or with another when a case broke a promise."""
    with atheris.instrument_imports(include=["soapsvc", "spyne.protocol", "email"]):
        from tests.fuzz.targets import TARGETS
    logging.disable()
    # libFuzzer starts itself anew, by a shell, for each part of a merge
    again = f"{sys.executable} -m tests.fuzz.run {sys.argv[1]}"
    atheris.Setup([again, *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
