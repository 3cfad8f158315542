"""What a model's form is for: its contract, an operation, and who may answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from soapsvc.console.try_controls import Control, controls_of
from soapsvc.errors import ModelNotFound, Unavailable
from soapsvc.model.contract import Contract
from soapsvc.model.manager import ModelManager
from soapsvc.soap.ns import ContractNames, SoapVersion

TITLES = {"reply": "Converse", "predict": "One instance", "predictBatch": "Many instances"}


@dataclass(frozen=True)
class Sheet:
    """One operation of one contract. pins: what follows the endpoint's path, and how a reader calls it.

    contracts: all major versions that can be called.
    """

    names: ContractNames
    contracts: Sequence[int]
    operation: str
    contract: Contract
    controls: Sequence[Control]
    pins: Sequence[tuple[str, str]]
    max_batch: int

    @property
    def operations(self) -> Mapping[str, str]:
        """The operations that have a form, by name, with their titles."""
        return {name: title for name, title in TITLES.items() if name != "reply" or self.contract.converses}

    def path(self, soap: SoapVersion, pin: str) -> str:
        """Return the path of the endpoint that is called."""
        return self.names.path(soap) + (pin if any(pin == known for known, _ in self.pins) else "")


def sheet_of(manager: ModelManager, model: str, query: Mapping[str, str]) -> Sheet | None:
    """Return what a query asks for, as far as there is it; None where no version of the model can answer."""
    kept = manager.contracts(model)
    if not kept:
        return None
    asked = query.get("contract", "")
    version = int(asked) if asked.isdecimal() and int(asked) in kept.values() else max(kept.values())
    try:
        with manager.handle(model, contract=version) as servable:
            contract, controls, max_batch = servable.contract, controls_of(servable), servable.limits.max_batch
            current = servable.version
    except (ModelNotFound, Unavailable):
        return None
    labels = [
        each for each in manager.labels() if each.name == model and each.version and kept.get(each.version) == version
    ]
    pins = [("", f"newest ({current})")]
    pins += [(f"/versions/{each}", f"version {each}") for each in sorted(kept) if kept[each] == version]
    pins += [(f"/labels/{each.label}", f"label {each.label} ({each.version})") for each in labels]
    first = "reply" if contract.converses else "predict"
    operation = query.get("operation", first)
    if operation not in TITLES or (operation == "reply" and not contract.converses):
        operation = first
    names = ContractNames(model, version)
    return Sheet(names, sorted(set(kept.values())), operation, contract, controls, pins, max_batch)
