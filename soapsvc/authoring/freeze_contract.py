"""What a user of `freeze` says of the contract: --labels, --columns, --units, and the file --contract.

Reads the files and checks each on its own; `manifests` merges them over what is inferred. Imports no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from soapsvc.authoring.freeze_request import Request
from soapsvc.authoring.source import SourceError
from soapsvc.errors import LoadError
from soapsvc.model.contract_keys import ContractEntry
from soapsvc.model.keys import check_part
from soapsvc.model.serving_keys import LimitsEntry
from soapsvc.model.yaml_file import read_yaml


class _ContractFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = ""
    contract: ContractEntry = ContractEntry()
    limits: LimitsEntry = LimitsEntry()


@dataclass(frozen=True)
class Wanted:
    """What is wanted of the contract; each mapping's key is a tensor's name in it, "" for the one that fits.

    contract, limits: keys of the manifest that win over what is inferred, and lose against the options.
    labels: class names.  columns: element names.  units: what numbers are measured in.
    """

    description: str = ""
    contract: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, list[str]] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


def wanted_contract(request: Request) -> Wanted:
    """Return what the options and files of a request say. Raises SourceError for a file that can't be read."""
    content = _read(request.contract) if request.contract else {}
    return Wanted(
        request.description or content.get("description", ""),
        content.get("contract", {}),
        content.get("limits", {}),
        {name: _names(f"--labels {file}", file) for name, file in request.labels.items()},
        request.columns,
        request.units,
    )


def _read(path: Path) -> dict[str, Any]:
    """Return a contract file's keys, with names in place of files of labels."""
    shown = f"--contract {path}"
    try:
        content = read_yaml(path, shown)
        check_part(_ContractFile, content, shown)
    except LoadError as err:
        raise SourceError(str(err)) from err
    for name, entry in content.get("contract", {}).get("outputs", {}).items():
        if isinstance(entry.get("labels"), str):
            entry["labels"] = _names(f"{shown}: contract.outputs.{name}.labels", path.parent / entry["labels"])
    return content


def _names(shown: str, file: Path) -> list[str]:
    """Return the class names in a file, one a line."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise SourceError(f"{shown}: expected a UTF-8 text file with one name a line: {err}") from err
    return [line.strip() for line in lines if line.strip()]
