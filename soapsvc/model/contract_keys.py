"""The manifest's key `contract`: how inputs and outputs appear to clients. `contract` works out what the keys mean."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from soapsvc.model.keys import Entry, FileName

ElementName = Annotated[str, StringConstraints(pattern=r"^[a-z][A-Za-z0-9]{0,62}$")]
TypeName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]{0,62}$")]
InputKind = Literal["scalar", "vector", "tensor", "image", "text"]
OutputKind = Literal["scoredLabels", "scalar", "vector", "tensor", "text"]


class Preprocess(Entry):
    """How an image's bytes become an array of the input's shape [height, width, channels]."""

    resize: Literal["nearest", "bilinear", "area"] = "bilinear"
    """How the picture is brought to the input's height and width."""
    range: tuple[float, float] = (0.0, 255.0)
    """What a pixel of 0 and one of 255 become, as `[-1, 1]`."""


class InputEntry(Entry):
    """How one input appears in the contract: as named scalar `columns`, or `as` one thing."""

    element: ElementName | None = None
    """What clients call it. Without it: the input's name in camelCase."""
    description: str | None = None
    """Stands in the WSDL at the element."""
    columns: tuple[ElementName, ...] | None = Field(None, min_length=1)
    """One instance is a row of numbers: a scalar element for each. Not together with `as` or `element`."""
    kind: InputKind | None = Field(None, alias="as")
    """See the next section. Without it: from the shape."""
    finite: bool = False
    """Refuse NaN and infinity; floats only."""
    sensitive: bool = False
    """Keep its values out of the log of messages, and out of what faults say they received; see
    docs/manifest.md#sensitive."""
    preprocess: Preprocess | None = None
    """How a picture becomes numbers; only with `as: image`, and only if the graph takes numbers."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.columns is not None and self.kind is not None:
            raise ValueError("give `columns` or `as`, not both")
        if self.columns is not None and self.element is not None:
            raise ValueError("`columns` names its own elements; leave `element` out")
        if self.columns is not None and len(set(self.columns)) != len(self.columns):
            raise ValueError("`columns` names an element twice")
        if self.preprocess is not None and self.kind != "image":
            raise ValueError("`preprocess` goes with `as: image` only")
        return self


class OutputEntry(Entry):
    """How one output appears in the contract."""

    element: ElementName | None = None
    """What clients call it; `modelVersion` is taken. Without it: the output's name in camelCase."""
    description: str | None = None
    """Stands in the WSDL at the element."""
    kind: OutputKind | None = Field(None, alias="as")
    """See the next section. Without it: from the shape."""
    labels: FileName | tuple[str, ...] | None = None
    """Class names, as many as there are scores. Goes with `as: scoredLabels`. In a list, quote `"yes"` and
    `"no"`: YAML takes them for bools."""
    top: Annotated[int, Field(ge=1)] | None = None
    """How many scored labels to answer, best first. Without it: all."""
    content: bool = False
    """Answer a tensor as bytes, not as numbers."""
    sensitive: bool = False
    """Keep its values out of the log of messages."""
    columns: tuple[ElementName, ...] | None = Field(None, min_length=1)
    """One instance is a row of numbers: a record with a scalar element for each. Goes with `type`, not with
    `as`."""
    type: TypeName | None = None
    """What clients call the type of that record."""
    record: ElementName | None = None
    """The record, of those under `records`, that this output is a member of."""

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if (self.kind == "scoredLabels") != (self.labels is not None):
            raise ValueError("`as: scoredLabels` and `labels` go together")
        if self.top is not None and self.kind != "scoredLabels":
            raise ValueError("`top` goes with `as: scoredLabels` only")
        if self.content and self.kind not in (None, "tensor"):
            raise ValueError("`content` goes with `as: tensor` only")
        if (self.columns is None) != (self.type is None):
            raise ValueError("`columns` and `type` go together")
        if self.columns is not None and self.kind is not None:
            raise ValueError("give `columns` or `as`, not both")
        return self


class RecordEntry(Entry):
    """A record type that outputs make together: each output that names it gives a member."""

    type: TypeName
    """What clients call its type; `Prediction`, `Tensor` and the like are taken."""
    list: bool = True
    """Clients see a list of records: each output has a value for each record, in its first dimension after
    `batch`. With `false` they see one record."""
    description: str | None = None
    """Stands in the WSDL at the element."""


class ContractEntry(Entry):
    """The typed operations; inputs and outputs left out appear as their dtype and shape suggest."""

    version: Annotated[int, Field(ge=1)] = 1
    """Major version of the contract: the `v1` in address and namespace. Raise it when stubs must change;
    versions of the model with the old one go on serving the old contract."""
    signature: str = "predict"
    """The signature that the typed operations use."""
    inputs: dict[str, InputEntry] = Field({})
    """An input left out appears as its dtype and shape suggest."""
    outputs: dict[str, OutputEntry] = Field({})
    """Likewise."""
    records: dict[ElementName, RecordEntry] = Field({})
    """Records that several outputs make together, see below."""
