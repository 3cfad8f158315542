"""The steps of a pipeline as its manifest has them; what they mean together is worked out in `plan`."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from soapsvc.model.keys import STRICT

StepName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
ValueName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)?$")]
LibraryOrFile = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*\.py:)?[a-z_][A-Za-z0-9_]*$")]


class StepEntry(BaseModel):
    """One step: a model that runs, or a function.

    model: its name; version or label choose one of its versions, neither means the highest that is loaded.
    function: a name of the library, or `file.py:name` in this folder.
    inputs: what each input gets: an input of the signature, or `step.output`.  with: a function's further arguments.
    """

    model_config = STRICT

    model: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")] | None = None
    version: Annotated[int, Field(ge=1)] | None = None
    label: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")] | None = None
    signature: str | None = None
    function: LibraryOrFile | None = None
    inputs: dict[str, ValueName] = Field(min_length=1)
    arguments: dict[str, Any] = Field({}, alias="with")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.model is None) == (self.function is None):
            raise ValueError("give `model` or `function`, one of them")
        if self.version is not None and self.label is not None:
            raise ValueError("give `version` or `label`, not both")
        if self.function is not None and self.model_fields_set & {"version", "label", "signature"}:
            raise ValueError("`version`, `label` and `signature` go with `model`")
        if self.model is not None and self.arguments:
            raise ValueError("`with` goes with `function`")
        return self
