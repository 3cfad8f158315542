"""What a message was sent as: its Content-Type, taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import lru_cache


@dataclass(frozen=True)
class ContentType:
    """What the transport says of a request.

    action: of SOAPAction or the `action` parameter, without quotes.  parameters: of the Content-Type, names lower-case.
    """

    media_type: str
    charset: str | None = None
    action: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


@lru_cache(maxsize=256)
def parse_content_type(header: str) -> tuple[str, Mapping[str, str]]:
    """Return the media type in lower case and the parameters of a Content-Type; both empty when it is none."""
    message = Message()
    message["content-type"] = header
    parameters = message.get_params(failobj=[], unquote=True)
    if not parameters or "/" not in parameters[0][0]:
        return "", {}
    named = {name.lower(): value if isinstance(value, str) else value[2] for name, value in parameters[1:]}
    return parameters[0][0].strip().lower(), named
