"""The tensors of a checkpoint, of TF1 or of TF2, without its graph.

Owns TensorFlow's checkpoint reader and the wording of what is wrong with a checkpoint's files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from soapsvc.authoring.inspect_summary import Role, StoredTensor
from soapsvc.authoring.progress import track
from soapsvc.authoring.source import SourceError
from soapsvc.model.dtypes import Array

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"  # a TF2 checkpoint's own description of its objects
_OPTIMIZER = re.compile(
    r"/(Adam|AdamW|AMSGrad|Momentum|RMSProp|Adagrad|Adadelta|Ftrl|AdaMax|AdaMaxW)(_\d+)?$"
    r"|(^|/)beta[12]_power(_\d+)?$|OPTIMIZER_SLOT|(^|/)_?optimizer(_weights)?/(?!_trainable_variables/)|learning_rate"
)
_COPIES = "_all_variables/"
_BOOKKEEPING = re.compile(rf"(^|/)global_step$|save_counter|{OBJECT_GRAPH}|seed_generator")


def role_of(name: str) -> Role:
    """Return what a stored tensor is for, by the names that optimizers and savers give."""
    if _BOOKKEEPING.search(name):
        return "bookkeeping"
    return "optimizer" if _OPTIMIZER.search(name) else "weight"


def open_checkpoint(
    prefix: str, trainable: Collection[str] | None
) -> tuple[tuple[StoredTensor, ...], Callable[[str], Array]]:
    """Return a checkpoint's tensors and the function that reads one.

    trainable: names of trainable variables, None when the source does not say. Every tensor is read once, as
    that is when TensorFlow compares checksums. Raises SourceError, naming the tensor that is damaged.
    """
    import tensorflow as tf

    failures = (tf.errors.OpError, RuntimeError, IndexError, ValueError)  # a file cut short is an IndexError
    try:
        reader = tf.compat.v1.train.NewCheckpointReader(prefix)
    except failures as err:
        raise SourceError(f"{prefix}: the checkpoint can't be opened: {_reason(err)}") from err

    def read(name: str) -> Array:
        try:
            value = reader.get_tensor(name)
            return np.asarray(value, dtype=object if isinstance(value, bytes) else None)  # numpy drops NULs at the end
        except failures as err:
            raise SourceError(f"{prefix}: tensor {name}: {_reason(err)}") from err

    shapes = reader.get_variable_to_shape_map()
    dtypes = reader.get_variable_to_dtype_map()
    names = _full_names(read) if OBJECT_GRAPH in shapes else {}
    tensors = []
    for name in track(sorted(shapes), "comparing checksums"):
        read(name)
        known = trainable is not None and role_of(name) != "bookkeeping"
        variable = names.get(name, "")
        is_trainable = (variable or name) in (trainable or ()) if known else None
        role: Role = "copy" if _is_copy(name, names) else role_of(name)
        tensors.append(StoredTensor(name, dtypes[name].name, tuple(shapes[name]), is_trainable, role, variable))
    return tuple(tensors), read


def _is_copy(name: str, names: Mapping[str, str]) -> bool:
    """Whether a key is one of those under which Keras 3's export stores every variable once more."""
    others = (key for key, variable in names.items() if variable == names.get(name) and not key.startswith(_COPIES))
    return name.startswith(_COPIES) and any(others)


def _full_names(read: Callable[[str], Array]) -> dict[str, str]:
    """Return checkpoint key -> variable's name, as a TF2 checkpoint records them."""
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    objects: Any = TrackableObjectGraph.FromString(read(OBJECT_GRAPH).item())
    return {each.checkpoint_key: each.full_name for node in objects.nodes for each in node.attributes}


def _reason(err: Exception) -> str:
    words = " ".join(str(getattr(err, "message", "") or err).split())
    if "Checksum does not match" in words:
        return "Checksum does not match; its file is damaged, copy the checkpoint's files again"
    return words[:200]
