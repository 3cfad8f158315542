"""What a message was sent as: its Content-Type, taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import lru_cache

_USUAL = re.compile(  # what clients send; the rest is left to Python, which takes four times as long
    r"[\w.+-]+/[\w.+-]+(?:; ?[\w-]+=(?:\"[^\"\\\x00-\x1f]*\"|[\w.+:/-]+))*", re.ASCII
)
_PARAMETER = re.compile(r'; ?([\w-]+)=(?:"([^"]*)"|([^;]*))')
MAX_LENGTH = 2048  # of a header; Python's parser takes quadratic time, on the thread that reads all connections


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
    """Return the media type in lower case and the parameters of a Content-Type; both empty when it is none.

    A header of more than MAX_LENGTH characters is none.
    """
    if len(header) > MAX_LENGTH:
        return "", {}
    if _USUAL.fullmatch(header):
        media_type, _, rest = header.partition(";")
        found = _PARAMETER.findall(f";{rest}")
        return media_type.lower(), {name.lower(): quoted or token for name, quoted, token in found}
    message = Message()
    message["content-type"] = header
    try:
        parameters = message.get_params(failobj=[], unquote=True)
    except (TypeError, ValueError):  # a parameter both whole and in numbered pieces (RFC 2231), which Python can't sort
        return "", {}
    if not parameters or "/" not in parameters[0][0]:
        return "", {}
    named = {name.lower(): value if isinstance(value, str) else value[2] for name, value in parameters[1:]}
    return parameters[0][0].strip().lower(), named
