"""Our server without its call log and its metrics: `python -m bench.silent_server ARGUMENTS`, as of `serve.py`.

No setting turns them off. What a call does for them is one method of the product, `SoapHandler._tell`, which does nothing
here; the times of the stages are still taken.
"""

from __future__ import annotations

import sys

import serve
from soapsvc.transport.soap_handler import SoapHandler


def _say_nothing(*_: object) -> None:
    """Neither log nor count a call."""


if __name__ == "__main__":
    SoapHandler._tell = _say_nothing  # type: ignore[method-assign]
    sys.exit(serve.main())
