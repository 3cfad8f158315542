"""What a version's folder says of itself: manifest, signatures and contract, read without its graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from soapsvc.errors import LoadError
from soapsvc.model.contract import Contract, contract_of
from soapsvc.model.conversation import Conversation, conversation_of, told
from soapsvc.model.files import MAX_LABELS_BYTES, read_file
from soapsvc.model.manifest import Manifest, SignatureEntry, read_manifest
from soapsvc.model.signature import Signature
from soapsvc.model.source import MANIFEST, VersionFolder


@dataclass(frozen=True)
class Description:
    """Signatures hold no constants yet: those take the dtype that the graph gives them. conversation: its sessions."""

    manifest: Manifest
    signatures: Mapping[str, Signature]
    contract: Contract
    conversation: Conversation | None = None


def describe(folder: VersionFolder) -> Description:
    """Return what a folder says of itself. Raises LoadError naming the file and the key that is wrong."""
    manifest = read_manifest(folder.file(MANIFEST), folder.show(MANIFEST))
    _check_name(manifest, folder)
    signatures = {name: _signature(entry) for name, entry in manifest.signatures.items()}
    typed = signatures[manifest.contract.signature]
    try:
        _check_batching(manifest, typed)
        contract = contract_of(manifest, told(typed, manifest), lambda file: _read_labels(folder, file))
        conversation = None
        if manifest.session is not None:
            contract = replace(contract, converses=True)
            conversation = conversation_of(manifest.session, typed, contract)
    except LoadError as err:
        raise LoadError(f"{folder.show(MANIFEST)}: {err}") from err
    return Description(manifest, signatures, contract, conversation)


def _check_name(manifest: Manifest, folder: VersionFolder) -> None:
    if manifest.name == folder.name:
        return
    claimed = (folder.path.parents[1] / manifest.name).is_dir()
    why = f"two folders claim the name {manifest.name}" if claimed else "a model's name is its folder's name"
    raise LoadError(
        f"{folder.show(MANIFEST)}: name: {manifest.name} stands in the folder of {folder.name}; {why}: "
        f"rename the folder or write name: {folder.name}"
    )


def _check_batching(manifest: Manifest, signature: Signature) -> None:
    """Raise LoadError unless calls can be joined as the manifest asks."""
    if manifest.batching is None:
        return
    name = manifest.contract.signature
    if not signature.batched:
        raise LoadError(
            f"batching: signature {name} counts no instances: every input and output must have a shape that begins "
            "with batch; leave batching out"
        )
    if manifest.batching.max_size > manifest.limits.max_batch:
        raise LoadError(
            f"batching.max_size: {manifest.batching.max_size}, but limits.max_batch is {manifest.limits.max_batch}; "
            "a joined run may be no larger than one call"
        )


def _signature(entry: SignatureEntry) -> Signature:
    inputs = {name: tensor.spec(name) for name, tensor in entry.inputs.items()}
    return Signature(inputs, {name: tensor.spec(name) for name, tensor in entry.outputs.items()})


def _read_labels(folder: VersionFolder, file: str) -> tuple[str, ...]:
    try:
        text = read_file(folder.file(file), MAX_LABELS_BYTES, f"labels: {file}").decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise LoadError(f"labels: {file} can't be read: {err.__class__.__name__}") from err
    labels = tuple(text.splitlines())
    for number, label in enumerate(labels, start=1):
        if not label.strip():
            raise LoadError(f"labels: {file}:{number} is blank; expected one class name a line")
    return labels
