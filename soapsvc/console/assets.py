"""The files that pages load: style, scripts, pictures. All are read at start and served from here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files

from soapsvc.console.request import Answer, Request

PATH = "console/"  # after the server's root
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
}


class Assets:
    """Every file of `soapsvc/console/static`."""

    def __init__(self) -> None:
        folder = files("soapsvc.console") / "static"
        self._files = {each.name: each.read_bytes() for each in folder.iterdir() if each.name.split(".")[-1] in _TYPES}
        self._tags = {name: hashlib.sha256(content).hexdigest()[:16] for name, content in self._files.items()}

    def address(self, name: str) -> str:
        """Return a file's address after the server's root; it is another one once the file has changed."""
        return f"{PATH}{name}?v={self._tags[name]}"

    def __call__(self, request: Request, places: Mapping[str, str]) -> Answer | None:
        """Return the file that a request names, None when there is none. places: `file`."""
        name = places["file"]
        if name not in self._files:
            return None
        tag = f'"{self._tags[name]}"'
        forever = request.query.get("v") == self._tags[name]
        headers = {"ETag": tag, "Cache-Control": "public, max-age=31536000, immutable" if forever else "no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Answer(304, _type(name), b"", headers)
        return Answer(200, _type(name), self._files[name], headers)


def _type(name: str) -> str:
    return _TYPES[name.split(".")[-1]]
