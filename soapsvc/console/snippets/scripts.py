"""Python for zeep, and PHP for SoapClient: both take records by the names of their elements."""

from __future__ import annotations

import math
from collections.abc import Sequence

from soapsvc.soap.plain_words import Field


class Python:
    """Writes values as zeep takes them."""

    nothing = "None"

    def number(self, value: float) -> str:
        """Return a float."""
        return repr(value) if math.isfinite(value) else f'float("{value}")'

    def whole(self, text: str, kind: str) -> str:
        """Return an int."""
        return str(int(text))

    def truth(self, value: bool) -> str:
        """Return a bool."""
        return str(value)

    def text(self, value: str) -> str:
        """Return a str."""
        return repr(value)

    def content(self, base64: str) -> str:
        """Return bytes."""
        return f'b64decode("{base64}")'

    def file(self, name: str) -> str:
        """Return bytes out of a file."""
        return f'Path("{name}").read_bytes()'

    def choice(self, field: Field, value: str) -> str:
        """Return a str."""
        return repr(value)

    def many(self, field: Field, items: Sequence[str]) -> str:
        """Return what stands around a list."""
        return f'{{"{field.members[0].name}": [{", ".join(items)}]}}'

    def same(self, field: Field, item: str, count: int) -> str:
        """Return a list of equal items."""
        return f'{{"{field.members[0].name}": [{item}] * {count}}}'

    def record(self, field: Field, members: Sequence[tuple[str, str]]) -> str:
        """Return a dict."""
        return "{" + ", ".join(f'"{name}": {value}' for name, value in members) + "}"


class Php:
    """Writes values as SoapClient takes them."""

    nothing = "null"

    def number(self, value: float) -> str:
        """Return a float."""
        if math.isfinite(value):
            return repr(value)
        return "NAN" if value != value else "INF" if value > 0 else "-INF"

    def whole(self, text: str, kind: str) -> str:
        """Return an int."""
        return str(int(text))

    def truth(self, value: bool) -> str:
        """Return a bool."""
        return "true" if value else "false"

    def text(self, value: str) -> str:
        """Return a string in single quotes, in which nothing else is special."""
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def content(self, base64: str) -> str:
        """Return bytes; SoapClient makes base64 of them."""
        return f"base64_decode('{base64}')"

    def file(self, name: str) -> str:
        """Return bytes out of a file."""
        return f"file_get_contents('{name}')"

    def choice(self, field: Field, value: str) -> str:
        """Return a string."""
        return self.text(value)

    def many(self, field: Field, items: Sequence[str]) -> str:
        """Return what stands around a list."""
        return f"['{field.members[0].name}' => [{', '.join(items)}]]"

    def same(self, field: Field, item: str, count: int) -> str:
        """Return a list of equal items."""
        return f"['{field.members[0].name}' => array_fill(0, {count}, {item})]"

    def record(self, field: Field, members: Sequence[tuple[str, str]]) -> str:
        """Return an array with keys."""
        return "[" + ", ".join(f"'{name}' => {value}" for name, value in members) + "]"
