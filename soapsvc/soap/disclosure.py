"""What of a model's messages may be told, in a log or in a fault: all but what its manifest marks `sensitive`.

Works on the names of elements. Where something is sensitive, what is not known to be harmless is hidden as well: the
value of an element whose name is misspelt may be the secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from soapsvc.errors import InvalidInput
from soapsvc.model.contract import Contract, InputField, OutputField

MASK = "***"
_STEP = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_GENERIC = frozenset(
    {"modelName", "version", "label", "signature", "name", "outputNames", "modelVersion", "state", "reason",
     "description", "dtype", "shape", "optional", "maxBatch"}
)  # fmt: skip


@dataclass(frozen=True)
class Disclosure:
    """Names of elements by what may be told of them.

    secret: nothing.  plain: their values.  binary: how many bytes they hold.  Others: their values, as long as nothing
    is secret.
    """

    secret: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()
    binary: frozenset[str] = frozenset({"content"})

    def tells(self, element: str) -> bool:
        """Whether the value of an element may be told."""
        return element in self.plain or not self.secret

    def masked(self, error: InvalidInput) -> InvalidInput:
        """Return an error whose `received` gives away nothing that may not be told."""
        steps = _STEP.findall(error.field)
        if not self.secret or (self.secret.isdisjoint(steps) and not self.plain.isdisjoint(steps)):
            return error
        return error.with_received(MASK)


NOTHING = Disclosure(secret=frozenset({MASK}))  # no element has this name, and so none is known to be harmless


def of_typed(contracts: Iterable[Contract]) -> Disclosure:
    """Return what may be told of a typed service. contracts: those of the loaded versions; without one, nothing.

    The id of a session is secret: who knows it can go on with the conversation.
    """
    loaded = list(contracts)
    if not loaded:
        return NOTHING
    inputs = [field for contract in loaded for field in contract.inputs]
    outputs = [inner for contract in loaded for field in contract.outputs for inner in field.flat()]
    fields: list[InputField | OutputField] = [*inputs, *outputs]
    secret = frozenset(field.element for field in fields if field.sensitive)
    pictures = {field.element for field in inputs if field.kind == "image"}
    plain = frozenset(field.element for field in fields) - secret
    if any(contract.converses for contract in loaded):
        secret, plain = secret | {"sessionId"}, plain | {"sessionState"}
    return Disclosure(secret, plain | ({"modelVersion"} - secret), frozenset({"content", *pictures}))


def of_generic(contracts: Iterable[Contract]) -> Disclosure:
    """Return what may be told of the generic service: no tensor, if a loaded version of any model has a secret."""
    typed = of_typed(replace(contract, converses=False) for contract in contracts)
    return Disclosure(frozenset({"tensor"}), _GENERIC) if typed.secret else Disclosure()
