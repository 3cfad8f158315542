"""C#, with the names that dotnet-svcutil gives a contract."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from soapsvc.console.snippets.literals import quoted
from soapsvc.soap.plain_words import Field

_KEYWORDS = frozenset(
    """abstract as base bool break byte case catch char checked class const continue decimal default delegate do double
    else enum event explicit extern false finally fixed float for foreach goto if implicit in int interface internal is
    lock long namespace new null object operator out override params private protected public readonly ref return sbyte
    sealed short sizeof stackalloc static string struct switch this throw true try typeof uint ulong unchecked unsafe
    ushort using virtual void volatile while""".split()  # noqa: SIM905
)


def name_of(element: str) -> str:
    """Return an element's name as C# may write it."""
    return f"@{element}" if element in _KEYWORDS else element


class CSharp:
    """Writes values. namespace: that of the stubs."""

    nothing = "null"

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def number(self, value: float) -> str:
        """Return a double."""
        if math.isfinite(value):
            return repr(value)
        return "double.NaN" if value != value else f"double.{'Positive' if value > 0 else 'Negative'}Infinity"

    def whole(self, text: str, kind: str) -> str:
        """Return an int or a long."""
        return str(int(text))

    def truth(self, value: bool) -> str:
        """Return a boolean."""
        return "true" if value else "false"

    def text(self, value: str) -> str:
        """Return a string."""
        return quoted(value)

    def content(self, base64: str) -> str:
        """Return a byte array."""
        return f'Convert.FromBase64String("{base64}")'

    def file(self, name: str) -> str:
        """Return a byte array out of a file."""
        return f'System.IO.File.ReadAllBytes("{name}")'

    def choice(self, field: Field, value: str) -> str:
        """Return an enum's member."""
        return f"{self._namespace}.{field.type}.{name_of(value)}"

    def many(self, field: Field, items: Sequence[str]) -> str:
        """Return a list, which has a class of its own."""
        return f"new {self._namespace}.{field.type} {{ {', '.join(items)} }}"

    def same(self, field: Field, item: str, count: int) -> str:
        """Return a list of equal items. It has no constructor that takes them all."""
        return f"Many<{self._namespace}.{field.type}, {_TYPES[field.members[0].type]}>({item}, {count})"

    def record(self, field: Field, members: Sequence[tuple[str, str]]) -> str:
        """Return an object."""
        inside = ", ".join(f"{name_of(element)} = {value}" for element, value in members)
        return f"new {self._namespace}.{field.type} {{ {inside} }}"


_TYPES = {
    "double": "double", "int": "int", "long": "long", "boolean": "bool", "string": "string", "base64Binary": "byte[]"
}  # fmt: skip


def printed(result: Field) -> Iterator[str]:
    """Yield the statements that print an answer; what lies deeper than a list of records is left to the reader."""
    for field in result.members:
        got = f"answer.{name_of(field.name)}"
        if field.item is not None and field.item.members:
            simple = [each for each in field.item.members if not each.members]
            shown = ' + " " + '.join(f"each.{name_of(each.name)}" for each in simple)
            yield f'foreach (var each in {got}) Console.WriteLine("{field.name}: " + {shown or "each"});'
        elif field.item is not None:
            yield f'Console.WriteLine("{field.name}: " + string.Join(" ", {got}));'
        elif field.type == "base64Binary":
            yield f'Console.WriteLine("{field.name}: " + {got}.Length + " bytes");'
        else:
            yield f'Console.WriteLine("{field.name}: " + {got});'
