"""What the console may do to the running server: through files and signals that reach every worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from soapsvc.model.labels_file import write_label


class ServerOperator:
    """Acts as the commands `reload` and `label` do."""

    def __init__(self, models: Path, reload: Callable[[], None]) -> None:
        """reload: has every worker look at the models folder."""
        self._models, self._reload = models, reload

    def reload(self) -> None:
        """Have the models folder looked at now."""
        self._reload()

    def move_label(self, model: str, label: str, version: int) -> None:
        """Set a label of a model, and have every worker read it. Raises LoadError; see `write_label`."""
        write_label(self._models, model, label, version)
        self._reload()
