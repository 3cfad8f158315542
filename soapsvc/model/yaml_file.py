"""YAML as authors and operators write it: plain types, no key twice, and no more than it looks like.

An alias stands for what its anchor holds, and may hold aliases itself: a few lines can stand for more than any memory
holds. What they stand for is counted before it is made.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from soapsvc.errors import LoadError
from soapsvc.model.files import MAX_YAML_BYTES, read_file

MAX_NODES = 200_000  # values and keys, aliases counted as what they stand for


class _UniqueKeys(yaml.SafeLoader):
    """YAML's plain types only, and no key twice, where PyYAML would silently keep the last."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        keys = Counter((key.tag, key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        twice = [value for (_, value), count in keys.items() if count > 1]
        if twice:
            raise yaml.composer.ComposerError(None, None, f"the key {twice[0]} stands twice", node.start_mark)
        return node


def load_yaml(path: Path, shown_as: str) -> Any:
    """Return what stands in a YAML file, None for nothing; no key may stand twice. Raises LoadError."""
    try:
        text = read_file(path, MAX_YAML_BYTES, shown_as).decode("utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise LoadError(f"{shown_as}: can't be read: {err.__class__.__name__}") from err
    try:
        return _load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as err:  # ValueError: a date as 2024-13-01
        raise LoadError(f"{shown_as}: not YAML: {' '.join(str(err).split())}") from err


def read_yaml(path: Path, shown_as: str) -> dict[str, Any]:
    """Return the keys and values in a YAML file; none may stand twice. Raises LoadError."""
    content = load_yaml(path, shown_as)
    if not isinstance(content, dict):
        raise LoadError(f"{shown_as}: expected keys and values, as `format: 1`, received {type(content).__name__}")
    return content


def _load(text: str) -> Any:
    loader = _UniqueKeys(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _count(node, {}) > MAX_NODES:
            raise ValueError(f"its aliases stand for more than {MAX_NODES} values")
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _count(node: yaml.Node, counted: dict[int, int]) -> int:
    """Return how many nodes one stands for. counted: by a node's id; one that is being counted holds itself."""
    found = counted.get(id(node))
    if found is None:
        counted[id(node)] = MAX_NODES + 1
        pairs = node.value if isinstance(node, yaml.CollectionNode) else []
        inner = (part for pair in pairs for part in (pair if isinstance(pair, tuple) else (pair,)))
        found = counted[id(node)] = 1 + sum(_count(part, counted) for part in inner)
    return found
