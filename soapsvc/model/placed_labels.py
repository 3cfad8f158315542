"""Which version each label stands on: never on one that is not loaded. Not safe for threads; the manager's lock is."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from soapsvc.model.status import LabelStatus

Labels = Mapping[str, int]  # label -> version


class PlacedLabels:
    """The labels of one model: where they are wanted, and where they stand."""

    def __init__(self) -> None:
        self._wanted: Labels = {}
        self._places: dict[str, int] = {}

    def want(self, labels: Labels, loaded: Collection[int]) -> None:
        """Replace what is wanted; a label that is wanted no more goes, one that can't move yet stays."""
        self._wanted = dict(labels)
        self.place(loaded)

    def place(self, loaded: Collection[int]) -> None:
        """Move each label to where it is wanted, if that version is loaded; take it off one that is not."""
        stays = {label: version for label, version in self._places.items() if version in loaded}
        moves = {label: version for label, version in self._wanted.items() if version in loaded}
        self._places = {label: version for label, version in (stays | moves).items() if label in self._wanted}

    def find(self, label: str) -> int | None:
        """Return the version that a label means, loaded or, if it stands nowhere yet, wanted; None: no such label."""
        return self._places.get(label, self._wanted.get(label))

    def versions(self) -> set[int]:
        """Return every version that a label stands on or is to stand on."""
        return {*self._places.values(), *self._wanted.values()}

    def status(self, name: str) -> list[LabelStatus]:
        """Return each label's place, by name."""
        return [
            LabelStatus(name, label, self._places.get(label), self._wanted[label]) for label in sorted(self._wanted)
        ]
