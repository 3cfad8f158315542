"""One key of a model.yaml set anew, every other character of the file kept: its comments, order and style."""

from __future__ import annotations

from typing import Any

import yaml

from soapsvc.authoring.source import SourceError


def with_key(text: str, key: str, value: Any) -> str:
    """Return the text of a manifest in which a top-level key has this value.

    A key that is there is replaced where it stands, a new one goes to the end. Raises SourceError when the file is
    written in a way that leaves no place for it, as one large `{...}`.
    """
    dumped = yaml.safe_dump(value, sort_keys=False, default_flow_style=True, width=10_000)
    line = f"{key}: {dumped.removesuffix('...' + chr(10)).strip()}"  # PyYAML ends a lone scalar with dots
    root = yaml.compose(text, yaml.SafeLoader)
    edited = text
    if isinstance(root, yaml.MappingNode):
        place = next((pair for pair in root.value if pair[0].value == key), None)
        if place is None:
            edited = f"{text}{'' if text.endswith(chr(10)) else chr(10)}{line}\n"
        else:
            edited = text[: place[0].start_mark.index] + line + text[_end(place[1]) :]
    try:
        found = yaml.safe_load(edited)
    except yaml.YAMLError:
        found = None
    if found != {**yaml.safe_load(text), key: value}:
        raise SourceError(f"model.yaml: can't be edited as it is written; write this line into it: {line}")
    return edited


def _end(node: yaml.Node) -> int:
    """Return where a value ends: a block ends with its last part, not where the next key begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)
