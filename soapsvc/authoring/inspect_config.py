"""A Keras model's configuration, the JSON inside its file: layers, inputs and outputs. Runs none of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from soapsvc.authoring.graphs import UNKNOWN
from soapsvc.authoring.inspect_summary import NamedTensor, Shape

_KEEPS_SHAPE = {"Activation", "BatchNormalization", "Dropout", "LayerNormalization", "ReLU", "LeakyReLU", "Softmax"}
_OWN_MODULES = ("keras", "tensorflow.keras", "tf_keras", "builtins")


@dataclass(frozen=True)
class Layer:
    """A layer with its connections. name, inputs: paths, as `outer/dense` for a layer of a model inside the model."""

    name: str
    type: str
    inputs: tuple[str, ...]
    shape: Shape


def layers_of(config: Any) -> Iterator[Any]:
    """Yield the configuration of each layer, those of models inside the model too."""
    inner = config.get("config") or {}
    for layer in _direct(inner):
        if isinstance(layer, dict) and isinstance(layer.get("config"), dict | list):
            settings = layer["config"]
            yield layer if isinstance(settings, dict) else layer | {"config": {"name": layer.get("name", "")}}
            if not isinstance(settings, dict) or isinstance(settings.get("layers"), list):
                yield from layers_of(layer)
            for key in ("layer", "cell"):  # wrappers as Bidirectional and TimeDistributed
                if isinstance(settings, dict) and isinstance(settings.get(key), dict):
                    yield from layers_of({"config": [settings[key]]})


def custom_objects(layers: list[Any]) -> list[str]:
    """Return the classes of layers that are not Keras's own, as far as the file says so."""
    found = {
        str(layer.get("registered_name") or layer.get("class_name"))
        for layer in layers
        if layer.get("registered_name") or not str(layer.get("module") or "keras").startswith(_OWN_MODULES)
    }
    return sorted(name for name in found if name not in ("Functional", "Sequential"))


def ends_of(config: Any) -> tuple[tuple[NamedTensor, ...], tuple[NamedTensor, ...]]:
    """Return a model's inputs and outputs; a subclassed model has none in its configuration."""
    inner = config.get("config") or {}
    layers = _named_layers(config)
    first, last = _end_layers(config)
    if isinstance(inner, dict) and "output_layers" in inner:
        why_in, why_out = "the model's input layer", "the model's output layer"
    else:
        why_in, why_out = "the first layer of a Sequential model", "the last layer of a Sequential model"
    inputs = [NamedTensor(n, n, _dtype(layers.get(n)), _input_shape(layers.get(n), inner), why_in) for n in first]
    outputs = []
    for name in last:
        shape = _output_shape(name, layers, inner)
        why = why_out if shape is not None else f"{why_out}; its shape is not recorded"
        outputs.append(NamedTensor(name, name, _dtype(layers.get(name)), shape, why))
    return tuple(inputs), tuple(outputs)


def connected_layers(config: Any, scope: str = "", given: tuple[str, ...] = ()) -> Iterator[Layer]:
    """Yield each layer with the layers it takes its inputs from; a model inside the model is a scope of its layers.

    given: what a model inside the model takes. A subclassed model yields nothing: its code connects its layers.
    """
    layers = _named_layers(config)
    first, _ = _end_layers(config)
    for name, layer in layers.items():
        before = [end for each in _connections(name, config) for end in _ends_inside(each, layers[each])]
        inputs = (*dict.fromkeys(f"{scope}{end}" for end in before), *(given if name in first else ()))
        if _named_layers(layer):
            yield from connected_layers(layer, f"{scope}{name}/", inputs)
        else:
            shape = _output_shape(name, layers, config.get("config") or {})
            yield Layer(f"{scope}{name}", str(layer.get("class_name", "")), inputs, shape)


def last_layers(config: Any) -> list[str]:
    """Return the paths of the layers whose outputs are the model's."""
    layers = _named_layers(config)
    return [path for name in _end_layers(config)[1] if name in layers for path in _ends_inside(name, layers[name])]


def _named_layers(config: Any) -> dict[str, Any]:
    """Return a model's layers by name; none of a layer that is no model."""
    layers = _direct(config.get("config") or {})
    return {str(_settings(layer).get("name", layer.get("name", ""))): layer for layer in layers}


def _end_layers(config: Any) -> tuple[list[str], list[str]]:
    """Return the names of a model's first and last layers; a subclassed model has none in its configuration."""
    inner = config.get("config") or {}
    if isinstance(inner, dict) and "output_layers" in inner:
        return _references(inner["input_layers"]), _references(inner["output_layers"])
    names = list(_named_layers(config)) if config.get("class_name") == "Sequential" else []
    return names[:1], names[-1:]


def _connections(name: str, config: Any) -> list[str]:
    layers = _named_layers(config)
    if config.get("class_name") == "Sequential":
        index = list(layers).index(name)
        return list(layers)[:index][-1:]
    return [each for each in _histories(layers[name].get("inbound_nodes")) if each in layers and each != name]


def _ends_inside(name: str, layer: Any) -> list[str]:
    """Return the paths of the layers whose outputs a layer's are: its own, or those of the model it is."""
    return [f"{name}/{path}" for path in last_layers(layer)] if _named_layers(layer) else [name]


def _direct(inner: Any) -> list[Any]:
    """Return a model's layers: under a key, or, in old Sequential models, as the whole configuration."""
    found = inner if isinstance(inner, list) else inner.get("layers", [])
    return found if isinstance(found, list) else []


def _settings(layer: Any) -> Any:
    settings = layer.get("config") if isinstance(layer, dict) else None
    return settings if isinstance(settings, dict) else {}


def _references(value: Any) -> list[str]:
    """Return the layers' names in Keras's references: ["x", 0, 0], lists and dictionaries of them."""
    if isinstance(value, dict):
        return [name for each in value.values() for name in _references(each)]
    if isinstance(value, list) and value and isinstance(value[0], str):
        return [value[0]]
    return [name for each in value for name in _references(each)] if isinstance(value, list) else []


def _dtype(layer: Any) -> str:
    dtype = _settings(layer).get("dtype") or UNKNOWN
    if isinstance(dtype, dict):  # Keras 3's DTypePolicy
        dtype = (dtype.get("config") or {}).get("name") or UNKNOWN
    return str(dtype).removeprefix("mixed_")


def _input_shape(layer: Any, inner: Any) -> Shape:
    settings = _settings(layer)
    found = settings.get("batch_shape") or settings.get("batch_input_shape")
    return _shape(found or (inner.get("build_input_shape") if isinstance(inner, dict) else None))


def _output_shape(name: str, layers: dict[str, Any], inner: Any) -> Shape:
    """Return a layer's output shape, followed from the inputs as far as simple layers go; None when unknown."""
    layer = layers.get(name) or {}
    kind = layer.get("class_name")
    before = _before(name, layers)
    if kind == "InputLayer" or before is None:
        given = _input_shape(layer, inner)
    else:
        recorded = _shape((layer.get("build_config") or {}).get("input_shape"))
        given = recorded or _output_shape(before, layers, inner)
    if given is None or kind == "InputLayer" or kind in _KEEPS_SHAPE:
        return given
    if kind == "Dense":
        return (*given[:-1], _settings(layer).get("units"))
    if kind == "Flatten" and all(isinstance(size, int) for size in given[1:]):
        return given[0], prod(size for size in given[1:] if isinstance(size, int))
    return None


def _before(name: str, layers: dict[str, Any]) -> str | None:
    """Return the layer whose output a layer takes; in a Sequential model the one before it."""
    if (layers[name] or {}).get("inbound_nodes"):
        found = [each for each in _histories(layers[name]["inbound_nodes"]) if each in layers and each != name]
        return found[0] if found else None
    index = list(layers).index(name)
    return list(layers)[index - 1] if index else None


def _histories(value: Any) -> Iterator[str]:
    """Yield the layers that inbound nodes name, in Keras 3's words and in Keras 2's."""
    if isinstance(value, dict):
        history = value.get("keras_history")
        if history:
            yield str(history[0])
        for each in value.values():
            yield from _histories(each)
    elif isinstance(value, list):
        if len(value) in (3, 4) and isinstance(value[0], str) and isinstance(value[1], int):
            yield value[0]
        for each in value:
            yield from _histories(each)


def _shape(value: Any) -> Shape:
    if not isinstance(value, list) or not all(size is None or isinstance(size, int) for size in value):
        return None
    return tuple(value)
