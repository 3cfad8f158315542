"""The default engine: predictions run in this process, in the caller's thread."""

from __future__ import annotations

from collections.abc import Mapping

from soapsvc.model.dtypes import Array
from soapsvc.model.servable import Servable
from soapsvc.model.signature import Signature


class LocalEngine:
    """Runs the servable's own graph."""

    def predict(self, servable: Servable, signature: Signature, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name; see `Engine`."""
        return servable.run(signature, inputs)
