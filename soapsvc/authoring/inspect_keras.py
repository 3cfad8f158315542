"""Keras files, read as the zip and HDF5 files they are: nothing is loaded by Keras, so no Lambda's code runs.

Owns the layout of `.keras` (Keras 3) and of `.h5` (Keras 2 and 3), and of the configuration in both.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from soapsvc.authoring.inspect_checkpoint import role_of
from soapsvc.authoring.inspect_config import custom_objects, ends_of, layers_of
from soapsvc.authoring.inspect_summary import Inspected, NamedTensor, Operation, StoredTensor, Summary
from soapsvc.authoring.source import Source, SourceError, SourceKind
from soapsvc.model.dtypes import Array

_WEIGHTS_FILE = "model.weights.h5"


def inspect_keras(source: Source, size_bytes: int) -> Inspected:
    """Return what a Keras file holds. Raises SourceError."""
    content, config, written_by = (_read_zip if source.kind is SourceKind.KERAS else _read_h5)(source.path)
    what = f"{source.kind.value}, weights only"
    layers: list[Any] = []
    inputs: tuple[NamedTensor, ...] = ()
    outputs: tuple[NamedTensor, ...] = ()
    try:
        if config is not None:
            what = f"{source.kind.value}, {config['class_name']} model"
            layers = list(layers_of(config))
            inputs, outputs = ends_of(config)
    except (AttributeError, KeyError, TypeError, RecursionError) as err:
        raise SourceError(f"{source.path}: the configuration is not one of a Keras model; is it damaged?") from err
    tensors = tuple(_tensors(source.path, content, {layer["config"].get("name"): layer for layer in layers}))
    summary = Summary(
        what=what,
        path=str(source.path),
        taken=source.note,
        written_by=written_by,
        size_bytes=size_bytes,
        inputs=inputs,
        outputs=outputs,
        tensors=tensors,
        operations_are="layers",
        operations=tuple(
            Operation(str(each["config"].get("name", "")), str(each.get("class_name", "")), ()) for each in layers
        ),
        notes=tuple(_notes(config, layers)),
    )
    return Inspected(summary, None, lambda name: _value(source.path, content, name), config)


def _notes(config: Any, layers: list[Any]) -> Iterator[str]:
    if config is None:
        yield "there is no model in this file, only weights; freezing needs the code that builds the model"
    lambdas = [layer["config"].get("name") for layer in layers if layer.get("class_name") == "Lambda"]
    if lambdas:
        yield f"Lambda layers hold code that runs when Keras loads this file: {', '.join(map(str, lambdas))}"
    custom = custom_objects(layers)
    if custom:
        yield f"custom objects, which freezing needs a module for: {', '.join(custom)}"


def _read_zip(path: Path) -> tuple[bytes, Any, tuple[str, ...]]:
    """Return a .keras file's weights, configuration and writer."""
    try:
        with zipfile.ZipFile(path) as archive:
            metadata = json.loads(archive.read("metadata.json"))
            return archive.read(_WEIGHTS_FILE), json.loads(archive.read("config.json")), _writer(metadata)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as err:
        reason = " ".join(str(err).split())
        raise SourceError(f"{path}: expected a .keras file, but it is damaged or another file: {reason}") from err


def _read_h5(path: Path) -> tuple[bytes, Any, tuple[str, ...]]:
    """Return an HDF5 file's content, configuration (None when it has weights only) and writer."""
    import h5py

    try:
        content = path.read_bytes()
        with h5py.File(io.BytesIO(content), "r") as file:
            attributes = {
                key: value.decode() if isinstance(value, bytes) else value
                for key, value in [*file.get("model_weights", file).attrs.items(), *file.attrs.items()]
            }
        config = json.loads(attributes["model_config"]) if "model_config" in attributes else None
    except (OSError, ValueError) as err:
        reason = " ".join(str(err).split())
        raise SourceError(f"{path}: expected a Keras HDF5 file, but it is damaged or another file: {reason}") from err
    return content, config, _writer(attributes)


def _writer(metadata: Any) -> tuple[str, ...]:
    found = [f"Keras {metadata['keras_version']}"] if "keras_version" in metadata else []
    if "backend" in metadata:
        found.append(f"backend {metadata['backend']}")
    if "date_saved" in metadata:
        found.append(f"saved {metadata['date_saved']}")
    return tuple(found)


def _tensors(path: Path, content: bytes, layers: dict[Any, Any]) -> Iterator[StoredTensor]:
    """Yield every dataset of the weights; each is read once, as that finds damaged ones."""
    import h5py

    found: list[tuple[str, str]] = []

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found.append((name, _layer_of(item, name)))

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            file.visititems(visit)
    except (OSError, RuntimeError, ValueError) as err:
        raise SourceError(f"{path}: the weights are damaged: {' '.join(str(err).split())}") from err
    none_frozen = layers and all(layer["config"].get("trainable", True) for layer in layers.values())
    others: Any = {"config": {}} if none_frozen else None  # for the cells of recurrent layers, which have no entry
    for name, layer in found:
        value = _value(path, content, name)
        dtype = "string" if value.dtype.kind in "OSU" else value.dtype.name
        role = role_of(name)
        trainable = _trainable(name, layers.get(layer, others), value) if role == "weight" else False
        yield StoredTensor(name, dtype, value.shape, trainable, role, layer=layer)


def _layer_of(dataset: Any, name: str) -> str:
    """Return the name of the layer a dataset belongs to, as the file itself says."""
    parent = dataset.parent
    if "name" in parent.attrs:  # .keras: layers/dense/vars/0, where vars says the layer's own name
        return str(parent.attrs["name"])
    return name.removeprefix("model_weights/").split("/")[0]


def _trainable(name: str, layer: Any, value: Array) -> bool | None:
    """Return whether training changes a weight: not of frozen layers, moving averages and integers."""
    if value.dtype.kind in "iu" or "moving_" in name:
        return False
    if layer is None:
        return None
    settings = layer["config"]
    if layer.get("class_name") == "BatchNormalization" and name.rsplit("/", 1)[-1].isdigit():
        learned = bool(settings.get("center", True)) + bool(settings.get("scale", True))
        if int(name.rsplit("/", 1)[-1]) >= learned:
            return False
    return bool(settings.get("trainable", True))


def _value(path: Path, content: bytes, name: str) -> Array:
    import h5py

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            dataset = file[name]
            if dataset.external or dataset.is_virtual:
                raise SourceError(f"{path}: tensor {name} is stored in another file, which is not read")
            return np.asarray(dataset[()])
    except (OSError, KeyError, RuntimeError, ValueError) as err:
        raise SourceError(f"{path}: tensor {name} is damaged: {' '.join(str(err).split())}") from err
