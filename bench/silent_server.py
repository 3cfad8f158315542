"""Our server without its call log and its metrics: `python -m bench.silent_server ARGUMENTS`, as of `serve.py`.

No setting turns them off. What a call does for them is one function of the product, `Telling.add`, which does nothing
here; the note of the call that it takes, and the times of the stages, are still made.
"""

from __future__ import annotations

import sys

from soapsvc.transport.serve_command import serve
from soapsvc.transport.telling import Telling


def _say_nothing(*_: object) -> None:
    """Neither log nor count a call."""


if __name__ == "__main__":
    Telling.add = _say_nothing  # type: ignore[method-assign]
    sys.exit(serve(sys.argv[1:], "bench.silent_server"))
