"""Values that several properties draw."""

from __future__ import annotations

from hypothesis import strategies as st

_NOT_XML = "".join(map(chr, [*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF]))  # XML 1.0, 2.2


def xml_text(max_bytes: int = 64) -> st.SearchStrategy[str]:
    """Return any text that XML can hold, of at most so many bytes in UTF-8."""
    character = st.characters(exclude_categories=["Cs"], exclude_characters=_NOT_XML)
    return st.text(character, max_size=max_bytes // 4)
