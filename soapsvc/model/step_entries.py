"""The steps of a pipeline as its manifest has them; what they mean together is worked out in `plan`."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from soapsvc.model.keys import Entry

StepName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
ValueName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)?$")]
LibraryOrFile = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*\.py:)?[a-z_][A-Za-z0-9_]*$")]


class StepEntry(Entry):
    """One step: a model that runs, or a function."""

    model: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")] | None = None
    """The model that the step runs."""
    version: Annotated[int, Field(ge=1)] | None = None
    """This version of it; with neither `version` nor `label` the highest that is loaded."""
    label: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")] | None = None
    """The version that the label stands on."""
    signature: str | None = None
    """The model's signature to run. Without it: that of its contract."""
    function: LibraryOrFile | None = None
    """In place of `model`: a function of the library, or of a Python file in this folder."""
    inputs: dict[str, ValueName] = Field(min_length=1)
    """What each input gets: an input of the signature, or `step.output`."""
    arguments: dict[str, Any] = Field({}, alias="with")
    """The function's further arguments."""

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
