"""Makes a servable whose large constants all workers hold once, or one with its own, and says why.

The first worker also makes the usual one, and shares only if both answer every golden call alike, to the last bit:
TensorFlow may fold a constant into others, which it can't do with what is fed. What it wrote stands for that proof.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, Protocol

from soapsvc.errors import LoadError
from soapsvc.model.constants import Parted, part
from soapsvc.model.dtypes import Array
from soapsvc.model.golden import read_golden
from soapsvc.model.manifest import Manifest
from soapsvc.model.servable import Servable
from soapsvc.model.shared_files import SharedBytes, SharedFiles
from soapsvc.model.source import VersionFolder

log = logging.getLogger(__name__)


class Make(Protocol):
    """Makes a proven servable of a graph, as `load` does."""

    def __call__(self, graph_def: Any, constants: Any = None, on_free: Any = None) -> Servable:
        """See `FrozenGraph`. Raises LoadError."""


def share_constants(
    make: Make, graph_def: Any, folder: VersionFolder, manifest: Manifest, files: SharedFiles
) -> Servable:
    """Return the servable of a graph. Raises LoadError when it can't be made with constants of its own."""
    parted = part(graph_def, _named(manifest))
    if parted is None:
        return make(graph_def)
    if manifest.warmup is None:
        return _with_its_own(make(graph_def), "there is no warmup, so nothing shows that it would answer alike")
    own = shared = None
    try:
        with files.alone():
            shared = files.find(parted.digest, parted.content)
            if shared is None:
                own = make(graph_def)
                shared = files.write(parted.digest, parted.content)
            return _sharing(make, parted, shared, own, folder, manifest)
    except OSError as err:
        reason = f"they can't be put into a file: {err.strerror or err}"
    except LoadError as err:
        if shared is None:
            raise
        reason = str(err)
    return _with_its_own(own or make(graph_def), reason)


def _sharing(
    make: Make, parted: Parted, shared: SharedBytes, own: Servable | None, folder: VersionFolder, manifest: Manifest
) -> Servable:
    """Return the servable whose constants are mapped. own: the usual one, which it replaces once both answer alike."""
    try:
        servable = make(parted.graph_def, parted.arrays(shared.content), shared.remove)
    except LoadError:
        shared.remove()
        raise
    if own is not None:
        try:
            _compare(own, servable, folder, manifest)
        except BaseException:
            servable.graph.close()
            raise
        own.graph.close()
    size_mb = len(parted.content) / 1e6
    log.info("%s version %d shares %.0f MB of constants with other workers", folder.name, folder.version, size_mb)
    return replace(servable, memory={**servable.memory, "mapped_constants": len(parted.content)})


def _compare(own: Servable, sharing: Servable, folder: VersionFolder, manifest: Manifest) -> None:
    """Raise LoadError unless both answer the golden calls alike."""
    assert manifest.warmup is not None
    signature = own.signatures[own.signature]
    for call in read_golden(folder.file(manifest.warmup.file), signature, folder.show(manifest.warmup.file)):
        expected, found = own.run(signature, call.inputs), sharing.run(signature, call.inputs)
        for name, value in expected.items():
            if not _same(value, found[name]):
                raise LoadError(f"{call.where}: output {name} would not be the same to the last bit")


def _same(one: Array, other: Array) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return one.tolist() == other.tolist() if one.dtype == object else one.tobytes() == other.tobytes()


def _named(manifest: Manifest) -> set[str]:
    """Return the nodes that a manifest names: what is fed or fetched already can't be fed again."""
    tensors = [
        tensor
        for entry in manifest.signatures.values()
        for tensor in (*(each.tensor for each in (*entry.inputs.values(), *entry.outputs.values())), *entry.constants)
    ]
    return {*(tensor.partition(":")[0] for tensor in tensors), *manifest.init_ops}


def _with_its_own(servable: Servable, reason: str) -> Servable:
    log.warning("%s version %d: each worker has its own constants: %s", servable.name, servable.version, reason)
    return servable
