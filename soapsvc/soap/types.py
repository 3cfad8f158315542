"""Schema types: what Spyne needs to describe a contract, in the shapes that real stub generators like.

Each rule here comes from what Java, C#, PHP and C generators do: required scalars are minOccurs=1 and not
nillable (Java `double`, C# `double`), optional scalars minOccurs=1 and nillable (`Double`, `double?`; with
minOccurs=0 C# can't tell absent from 0), optional strings and objects minOccurs=0, arrays wrapped with items
that are not nillable (Spyne's own Array gives `double?[]`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from spyne import Boolean, ByteArray, ComplexModel, Double, Enum, Fault, Int, Long, Unicode

from soapsvc.model.contract import Contract, InputField, OutputField
from soapsvc.model.dtypes import FLOATS, DTypeName
from soapsvc.soap.faults import FAULT_FOR, FaultType

Type = Any  # a subclass of ModelBase; Spyne has no annotations

PICTURE: Type = ByteArray.customize()  # what is read whole by other libraries, where a tensor's content is looked at
_SESSION_STATE = (
    "started: a new session. continued: the one asked for. expired: a new one, for the caller has none of this id (any "
    "more). reset: the one asked for, begun anew, for the model has changed."
)
_CONTENT = "Values as little-endian bytes; each string as its length in 4 bytes, then its bytes."


def required(base: Type, description: str = "") -> Type:
    """Return base as an element that must be there and hold a value."""
    return _described(base.customize(min_occurs=1, nillable=False), description)


def in_message(kind: Type) -> Type:
    """Return a parameter's or a result's type as it stands in a message: nillable, unless .NET holds it by value.

    dotnet-svcutil gives an operation the natural form `Prediction predict(string text)` only then, and makes message
    contracts otherwise ("element is not marked nillable"). Java and the others see no difference. A nil where a value
    is required is still refused.
    """
    attributes = kind.Attributes
    if attributes.min_occurs == 0 or is_value_type(kind):
        return kind
    return kind.customize(nillable=True)


def is_value_type(kind: Type) -> bool:
    """Whether .NET and Java hold the type by value, so that absent and nil need a type of their own."""
    return issubclass(kind, Double | Long | Int | Boolean)


def is_optional(kind: Type) -> bool:
    """Whether an element of the type may be without a value."""
    attributes = kind.Attributes
    return bool(attributes.min_occurs == 0 or (attributes.nillable and is_value_type(kind)))


def optional(base: Type, description: str = "") -> Type:
    """Return base as an element that may be without a value, in the way its kind needs."""
    absent = {"min_occurs": 1, "nillable": True} if is_value_type(base) else {"min_occurs": 0, "nillable": False}
    custom = base.customize(**absent)
    return _described(custom, description)


def _described(custom: Type, description: str) -> Type:
    return custom.customize(doc=description) if description else custom


def scalar_type(dtype: DTypeName) -> Type:
    """Return the schema type of one value: uint8 and int32 are xs:int, since unsignedByte is odd in Java."""
    if dtype in FLOATS:
        return Double
    by_name: dict[str, Type] = {"int64": Long, "bool": Boolean, "string": Unicode}
    return by_name.get(dtype, Int)


class Types:
    """The types of one namespace, each made once."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._made: dict[str, Type] = {}

    def record(self, name: str, members: Sequence[tuple[str, Type]], description: str = "") -> Type:
        """Return a complex type with these members in this order, the same one at each call."""
        if name not in self._made:
            self._made[name] = self._class(ComplexModel, name, members, description)
        return self._made[name]

    def _class(self, base: Type, name: str, members: Sequence[tuple[str, Type]], description: str) -> Type:
        body = {"__namespace__": self._namespace, "__type_name__": name, "_type_info": list(members)}
        documented = type("Annotations", (base.Annotations,), {"doc": description})
        return type(base)(name, (base,), body | {"Annotations": documented})

    def array(self, item: Type) -> Type:
        """Return `ArrayOfX { item* }`."""
        name = item.get_type_name()
        member = item.customize(min_occurs=0, max_occurs="unbounded", nillable=False)
        return self.record(f"ArrayOf{name[0].upper()}{name[1:]}", [("item", member)])

    def dtype(self) -> Type:
        """Return the enumeration of tensor dtypes."""
        return self._enum("DType", get_args(DTypeName))

    def _enum(self, name: str, values: Sequence[str]) -> Type:
        if name not in self._made:
            enum = Enum(*values, type_name=name)
            enum.__namespace__ = self._namespace
            self._made[name] = enum
        return self._made[name]

    def tensor(self) -> Type:
        """Return Tensor: dtype, shape, and exactly one of doubles, longs, strings and content."""
        return self.record(
            "Tensor",
            [
                ("dtype", required(self.dtype())),
                ("shape", required(self.array(Long), "Size of each dimension; empty for a single value.")),
                ("doubles", optional(self.array(Double), "Values of float32 or float64, in row-major order.")),
                ("longs", optional(self.array(Long), "Values of int32, int64, uint8, or bool as 0 and 1.")),
                ("strings", optional(self.array(Unicode), "Values of string.")),
                ("content", optional(ByteArray, _CONTENT)),
            ],
            "Values in row-major order: exactly one of doubles, longs, strings and content is given.",
        )

    def scored_label(self) -> Type:
        """Return ScoredLabel: one class and its score."""
        return self.record(
            "ScoredLabel", [("label", required(Unicode)), ("score", required(Double))], "A class and its score."
        )

    def faults(self) -> list[Type]:
        """Return every declared fault; each operation declares all, for adding one later would break stubs."""
        return [self._fault(kind) for kind in FAULT_FOR.values()]

    def _fault(self, kind: FaultType) -> Type:
        if kind.name not in self._made:
            texts = {"string": Unicode, "int": Int, "double": Double}
            members = [
                ("code", required(Unicode, "What is wrong, for programs.")),
                ("message", required(Unicode, "What is wrong, for people.")),
                ("requestId", required(Unicode, "The id under which the server logged the call.")),
            ]
            members += [(item.element, required(texts[item.type], item.description)) for item in kind.members]
            self._made[kind.name] = self._class(Fault, kind.name, members, kind.description)
        return self._made[kind.name]

    def input_type(self, field: InputField) -> Type:
        """Return the type of one element of a request."""
        base = self._value_type(field.kind, field.dtype)
        if field.optional:
            return optional(base, field.description)
        return required(base, field.description)

    def output_type(self, field: OutputField) -> Type:
        """Return the type of one element of an answer."""
        return required(self._answer_type(field), field.description)

    def _answer_type(self, field: OutputField) -> Type:
        if field.kind == "scoredLabels":
            return self.array(self.scored_label())
        if not field.type_name:
            return self._value_type(field.kind, field.dtype)
        record = self.record(field.type_name, [(member.element, self.output_type(member)) for member in field.members])
        return self.array(record) if field.kind == "records" else record

    def prediction(self, contract: Contract) -> Type:
        """Return Prediction: the answer for one instance."""
        return self.record("Prediction", self._outputs(contract), "The answer for one instance.")

    def _outputs(self, contract: Contract) -> list[tuple[str, Type]]:
        members = [(field.element, self.output_type(field)) for field in contract.outputs]
        return [*members, ("modelVersion", required(Long, "Version of the model that answered."))]

    def answer(self, contract: Contract, states: Sequence[str]) -> Type:
        """Return Answer: what `reply` gives. states: the values of SessionState."""
        members = [
            ("sessionId", required(Unicode, "Send it with the next call of this conversation; keep it secret.")),
            ("sessionState", required(self._enum("SessionState", states), _SESSION_STATE)),
            *self._outputs(contract),
        ]
        return self.record("Answer", members, "The answer to one call of a conversation.")

    def instance(self, contract: Contract) -> Type:
        """Return Instance: what `predict` takes, as one item of a batch."""
        members = [(field.element, self.input_type(field)) for field in contract.inputs]
        return self.record("Instance", members, "What predict takes, as one item of a batch.")

    def _value_type(self, kind: str, dtype: DTypeName) -> Type:
        if kind == "vector":
            return self.array(scalar_type(dtype))
        if kind == "tensor":
            return self.tensor()
        if kind == "image":
            return PICTURE
        return scalar_type(dtype)
