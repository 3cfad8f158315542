"""Engines: where a prediction is computed. The rest of the program knows only the Engine protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from soapsvc.engine.deadline import Deadline
from soapsvc.model.dtypes import Array
from soapsvc.model.servable import Servable
from soapsvc.model.signature import Signature


class Engine(Protocol):
    """Runs a signature of a servable that the caller holds a handle to."""

    def predict(
        self, servable: Servable, signature: Signature, inputs: Mapping[str, Array], deadline: Deadline | None = None
    ) -> dict[str, Array]:
        """Return the outputs by name. inputs have passed `signature.check_inputs`.

        Raises ServingError, as DeadlineExceeded once nobody waits any more.
        """
