"""The whole service in this process, without a socket: requests as WSGI hands them over, answers as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from soapsvc.engine.local import LocalEngine
from soapsvc.metrics.counts import read_counts
from soapsvc.metrics.notes import NotesInMemory
from soapsvc.metrics.recent import LastHour
from soapsvc.model.manager import ModelManager
from soapsvc.settings import Settings
from soapsvc.soap.application import Reply
from soapsvc.soap.contracts import Contracts
from soapsvc.transport.application import WebApplication
from soapsvc.transport.run import make_application

SETTINGS = Settings(max_request_bytes=1_000_000, max_mtom_bytes=2_000_000, message_log="all")


@dataclass(frozen=True)
class Web:
    """A WSGI application, and the contracts that it answers."""

    application: WebApplication
    contracts: Contracts

    def post(self, path: str, body: bytes, content_type: str, **headers: str) -> Reply:
        """Return the answer to a POST. headers: by their names in a WSGI environment."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST", "PATH_INFO": path, "QUERY_STRING": "", "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body), "wsgi.input_terminated": True, **headers,
        }  # fmt: skip
        started: list[Any] = []
        content = b"".join(self.application(environ, lambda status, headers: started.extend((status, dict(headers)))))
        status, answered = started
        assert answered["Content-Length"] == str(len(content))
        assert "Content-Encoding" not in answered
        return Reply(int(status.split()[0]), answered["Content-Type"], content)


def web_of(manager: ModelManager) -> Web:
    """Return the service of models that are loaded."""
    contracts = Contracts(manager, LocalEngine())
    last_hour = LastHour(NotesInMemory(), read_counts)
    return Web(make_application(SETTINGS, manager, contracts, dict, lambda: None, last_hour), contracts)
