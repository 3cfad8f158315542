"""Java, with the names that wsimport and CXF's wsdl2java give a contract (JAXB 3, annex D)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from soapsvc.console.snippets.literals import quoted
from soapsvc.soap.plain_words import Field

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")


def property_name(element: str) -> str:
    """Return an element's name as its getter has it after `get`."""
    if element == "class":  # getClass is every object's own
        return "Clazz"
    return "".join(word[0].upper() + word[1:] for word in _WORD.findall(element))


class Java:
    """Writes values; a record is made of statements, which `before` holds in their order."""

    nothing = "null"

    def __init__(self) -> None:
        self.before: list[str] = []
        self.types: set[str] = set()  # what has to be imported
        self._used: set[str] = set()

    def number(self, value: float) -> str:
        """Return a double."""
        if math.isfinite(value):
            return repr(value)
        return "Double.NaN" if value != value else f"Double.{'POSITIVE' if value > 0 else 'NEGATIVE'}_INFINITY"

    def whole(self, text: str, kind: str) -> str:
        """Return an int or a long."""
        return f"{int(text)}L" if kind == "long" else str(int(text))

    def truth(self, value: bool) -> str:
        """Return a boolean."""
        return "true" if value else "false"

    def text(self, value: str) -> str:
        """Return a string."""
        return quoted(value)

    def content(self, base64: str) -> str:
        """Return a byte array."""
        return f'java.util.Base64.getDecoder().decode("{base64}")'

    def file(self, name: str) -> str:
        """Return a byte array out of a file."""
        return f'java.nio.file.Files.readAllBytes(java.nio.file.Path.of("{name}"))'

    def choice(self, field: Field, value: str) -> str:
        """Return an enum's constant by its value, for constants are spelt otherwise."""
        self.types.add(field.type)
        return f"{field.type}.fromValue({quoted(value)})"

    def many(self, field: Field, items: Sequence[str]) -> str:
        """Return a list."""
        name = self._new(field)
        if items:
            self.before.append(f"java.util.Collections.addAll({name}.getItem(), {', '.join(items)});")
        return name

    def same(self, field: Field, item: str, count: int) -> str:
        """Return a list of equal items."""
        name = self._new(field)
        self.before.append(f"{name}.getItem().addAll(java.util.Collections.nCopies({count}, {item}));  // yours here")
        return name

    def record(self, field: Field, members: Sequence[tuple[str, str]]) -> str:
        """Return an object."""
        name = self._new(field)
        self.before += [f"{name}.set{property_name(element)}({value});" for element, value in members]
        return name

    def _new(self, field: Field) -> str:
        name = base = field.name if field.name != "class" else "clazz"
        number = 1
        while name in self._used:
            number += 1
            name = f"{base}{number}"
        self._used.add(name)
        self.types.add(field.type)
        self.before.append(f"var {name} = new {field.type}();")
        return name


def printed(result: Field) -> Iterator[str]:
    """Yield the statements that print an answer; what lies deeper than a list of records is left to the reader."""
    for field in result.members:
        got = f"answer.{getter(field)}()"
        if field.item is not None and field.item.members:
            simple = [each for each in field.item.members if not each.members]
            shown = ' + " " + '.join(f"each.{getter(each)}()" for each in simple)
            yield f"for (var each : {got}.getItem()) {{"
            yield f'    System.out.println("{field.name}: " + {shown or "each"});'
            yield "}"
        elif field.item is not None:
            yield f'System.out.println("{field.name}: " + {got}.getItem());'
        elif field.type == "base64Binary":
            yield f'System.out.println("{field.name}: " + {got}.length + " bytes");'
        else:
            yield f'System.out.println("{field.name}: " + {got});'


def getter(field: Field) -> str:
    """Return the name of the method that reads a property."""
    return f"{'is' if field.type == 'boolean' else 'get'}{property_name(field.name)}"
