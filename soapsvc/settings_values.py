"""Kinds of values that a setting may have, and what is said of one that it may not."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainSerializer, SecretStr

_CREDENTIALS = re.compile(r"://[^\s]*@")


def _without_trailing_slash(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("expected a URL that starts with http:// or https://")
    return url.rstrip("/")


def _collector(url: str) -> str:
    parts = urlsplit(_without_trailing_slash(url))
    if parts.username is not None or parts.query:
        raise ValueError("expected a URL without credentials or a query; OTEL_EXPORTER_OTLP_HEADERS holds a token")
    return parts.geturl()


CollectorUrl = Annotated[str, AfterValidator(_collector)]
PublicUrl = Annotated[str, AfterValidator(_without_trailing_slash)]


def _policy(value: Any) -> Any:
    """Return a version policy as it was given. Raises ValueError unless it is one of the three forms."""
    kind, given = next(iter(value.items())) if isinstance(value, dict) and len(value) == 1 else (None, value)
    if given == "all" and kind is None:
        return given
    if kind == "latest" and str(given).isdecimal() and int(given) > 0:
        return {kind: int(given)}
    if kind == "versions" and isinstance(given, list) and all(str(each).isdecimal() for each in given):
        return {kind: [int(each) for each in given]}
    raise ValueError('expected "all", {"latest": 2} or {"versions": [1, 3]}')


Policy = Annotated[Any, AfterValidator(_policy)]


def _session_place(place: str) -> str:
    if "://" in place and not place.startswith(("redis://", "rediss://")):
        raise ValueError("expected a file, or a URL that starts with redis:// or rediss://")
    return place


SessionPlace = Annotated[str, AfterValidator(_session_place)]


def _in_the_clear(token: SecretStr) -> str:
    """Return the token itself: the supervisor hands its settings on to the workers as JSON."""
    return token.get_secret_value()


AdminToken = Annotated[SecretStr, Field(min_length=16), PlainSerializer(_in_the_clear, when_used="json")]


def shown(value: Any) -> str:
    """Return a value as a message may show it: without the credentials of a URL."""
    return f"{_CREDENTIALS.sub('://***@', repr(value)):.80}"
