"""The server that the clients call: soapsvc as it is, with a recorder around its application.

`python -m interop.server RECORDS [serve.py's arguments]`. A request to /at/CLIENT/FEATURE/soap/... is answered as
/soap/..., and what it was on the wire goes to the file RECORDS, a line of JSON for each.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from soapsvc.errors import AuthenticationFailed, DeadlineExceeded, Overloaded, Unavailable
from soapsvc.model.manager import Handle, ModelManager
from soapsvc.settings import read_settings
from soapsvc.transport import run as start

FAULTS = {  # models that are always full, late, gone, locked: what matters to a client is the fault, not its cause
    "full": lambda: Overloaded("full has 0 calls waiting already, its most", 2),
    "late": lambda: DeadlineExceeded(1.5),
    "gone": lambda: Unavailable("gone is unloaded", 2),
    "locked": AuthenticationFailed,
}
_AT = re.compile(r"/at/([^/]+)/([^/]+)(/.*)")
NOT_RECORDED = {"threads"}  # thousands of calls that nobody looks at
_HEADERS_WITHIN = 4096  # bytes of an answer in which its header blocks stand


class Recorder:
    """WSGI middleware; knows clients and features from the path, which it takes off."""

    def __init__(self, application: Any, records: Path) -> None:
        self._application, self._records, self._lock = application, records, threading.Lock()

    def __getattr__(self, name: str) -> Any:
        """Give what else the server wants of the application."""
        return getattr(self._application, name)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        match = _AT.fullmatch(environ["PATH_INFO"])
        if match is None:
            return self._application(environ, start_response)  # type: ignore[no-any-return]
        client, feature, environ["PATH_INFO"] = match.groups()
        if feature in NOT_RECORDED:
            return self._application(environ, start_response)  # type: ignore[no-any-return]
        answer: dict[str, str] = {}

        def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            answer.update({name.lower(): value for name, value in headers})
            return start_response(status, headers, *more)

        body = list(self._application(environ, started))
        self._write(
            {
                "client": client,
                "feature": feature,
                "request_type": environ.get("CONTENT_TYPE", ""),
                "request_coding": environ.get("HTTP_CONTENT_ENCODING", ""),
                "answer_type": answer.get("content-type", ""),
                "answer_coding": answer.get("content-encoding", ""),
                "addressed": b"RelatesTo" in b"".join(body)[:_HEADERS_WITHIN],
            }
        )
        return body

    def _write(self, record: dict[str, Any]) -> None:
        with self._lock, self._records.open("a") as file:
            file.write(json.dumps(record) + "\n")


class _Manager(ModelManager):
    """Raises a fault for the models that are called after one."""

    def handle(
        self, name: str, version: int | None = None, label: str | None = None, contract: int | None = None
    ) -> Handle:
        """Lend a servable; see `ModelManager.handle`."""
        if name in FAULTS:
            raise FAULTS[name]()
        return super().handle(name, version, label, contract)


def main() -> None:
    """Serve until stopped."""
    start.ModelManager = _Manager  # type: ignore[misc]
    records, arguments = Path(sys.argv[1]), sys.argv[2:]
    plain = start.make_application
    start.make_application = lambda *given: Recorder(plain(*given), records)  # type: ignore[assignment,return-value]
    start.run(read_settings(arguments))


if __name__ == "__main__":
    main()
