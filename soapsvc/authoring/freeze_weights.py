"""Loading a Keras file's weights into a model that the author's code built: all of them, and no others."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soapsvc.authoring.inspect_checkpoint import role_of
from soapsvc.authoring.inspect_keras import read_keras_file
from soapsvc.authoring.source import Source, SourceError

Shapes = Mapping[str, tuple[int, ...]]


def load_weights(model: Any, source: Source) -> None:
    """Give a Keras model the weights in a file. Raises SourceError naming what is missing, spare or of another shape.

    Files of Keras 2 keep the layers in their order, those of Keras 3 and of late Keras 2 by their place in the model.
    """
    content, _, _ = read_keras_file(source)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "given.h5"  # Keras tells layouts by the name, which a user may have changed
        file.write_bytes(content)
        ordered = _saved_layers(file)
        if ordered is None:
            file = file.rename(file.with_name("given.weights.h5"))
            model.save_weights(file.with_name("own.weights.h5"))
            _compare(_shapes(file.with_name("own.weights.h5")), _shapes(file), source.path)
        else:
            _compare_layers([layer.name for layer in model.layers if layer.weights], ordered, source.path)
        try:
            model.load_weights(str(file))
        except Exception as err:  # Keras raises whatever a layer's own loading raises
            words = " ".join(str(err).split())[:500]
            raise SourceError(f"{source.path}: its weights do not fit the model that was built: {words}") from err


def _saved_layers(file: Path) -> list[str] | None:
    """Return the layers that have weights, in their order; None when the file keeps them by place."""
    import h5py

    with h5py.File(file) as opened:
        group = opened.get("model_weights", opened)
        if not any(key.startswith("layer_names") for key in group.attrs):  # long lists are cut into layer_names0, …
            return None
        parts = [group.attrs[key] for key in sorted(group.attrs, key=_numbered) if key.startswith("layer_names")]
        names = [name.decode() if isinstance(name, bytes) else str(name) for part in parts for name in part]
        return [name for name in names if _has_weights(group[name])]


def _numbered(key: str) -> tuple[int, str]:
    return len(key), key


def _has_weights(group: Any) -> bool:
    return any(len(names) for key, names in group.attrs.items() if key.startswith("weight_names"))


def _compare_layers(wanted: list[str], given: list[str], path: Path) -> None:
    """Raise SourceError unless there are as many layers; their names may differ, as Keras numbers them."""
    if len(wanted) != len(given):
        raise SourceError(
            f"{path}: expected the weights of {len(wanted)} layers, as in the model that was built "
            f"({', '.join(wanted)}); the file has those of {len(given)} ({', '.join(given)})"
        )


def _compare(wanted: Shapes, given: Shapes, path: Path) -> None:
    """Raise SourceError unless both have the same weights."""
    problems = {
        "lacks": [each for each in wanted if each not in given],
        "has besides": [each for each in given if each not in wanted],
        "has in another shape": [each for each in wanted if each in given and wanted[each] != given[each]],
    }
    words = [f"it {what} {', '.join(names)}" for what, names in problems.items() if names]
    if words:
        raise SourceError(f"{path}: its weights do not fit the model that was built: {'; '.join(words)}")


def _shapes(file: Path) -> Shapes:
    """Return a weight's place, as layers/dense/vars/0 -> its shape; what only training needs is left out."""
    import h5py

    shapes: dict[str, tuple[int, ...]] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and role_of(name) == "weight":
            shapes[name] = tuple(item.shape)

    with h5py.File(file) as opened:
        opened.visititems(visit)
    return shapes
