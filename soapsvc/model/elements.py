"""Names of elements: what a tensor's name makes, and which ones the stubs of a contract can bear side by side."""

from __future__ import annotations

import re
from collections import Counter

from soapsvc.errors import LoadError

JAVA_WORDS = frozenset(
    """abstract assert boolean break byte case catch char class const continue default do double else enum extends
    false final finally float for goto if implements import instanceof int interface long native new null package
    private protected public return short static strictfp super switch synchronized this throw throws transient true
    try void volatile while""".split()
)


def check_unique(where: str, elements: list[str]) -> None:
    """Raise LoadError where two elements would be one property of a stub, or one would be no Java identifier."""
    for element in elements:
        if element in JAVA_WORDS:
            raise LoadError(f"{where}: {element} is a word of Java's, which stubs can't bear; choose another `element`")
    property_, count = Counter(map(_java_property, elements)).most_common(1)[0]
    if count > 1:
        alike = [element for element in elements if _java_property(element) == property_]
        named = f"are named {alike[0]}" if len(set(alike)) == 1 else f"look alike in Java: {' and '.join(alike)}"
        raise LoadError(f"{where}: two elements {named}; give one of them another `element`")


def _java_property(element: str) -> str:
    """Return the property that Java's stubs make of an element: JAXB capitalises after a digit too."""
    return re.sub(r"(?<=[0-9])[a-z]", lambda match: match[0].upper(), element)


def element_name(where: str, given: str | None, name: str) -> str:
    """Return the element's name: as given, or the tensor's name in camelCase (gSOAP mangles underscores)."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    camel = "".join(word if index == 0 else word[0].upper() + word[1:] for index, word in enumerate(words))
    element = given or camel[:1].lower() + camel[1:]
    if not re.fullmatch(r"[a-z][A-Za-z0-9]*", element):
        raise LoadError(f"{where}: {name!r} makes no element name; give one with `element`, as `element: features`")
    return element
