"""Which versions of models a pipeline runs now: found, and checked to fit, before it may be called."""

from __future__ import annotations

from collections.abc import Callable

from soapsvc.errors import LoadError, ModelNotFound
from soapsvc.model.servable import Given, Pinnable, Servable

Find = Callable[[str, int | None, str | None], Servable]  # name, version, label; raises ModelNotFound


def models_of(pipeline: Pinnable, find: Find) -> Given:
    """Return the versions that a pipeline's steps run. Raises LoadError when one is not there or does not fit."""
    try:
        found = {need: find(need.model, need.version, need.label) for need in pipeline.needs}
    except ModelNotFound as err:
        raise LoadError(err.message) from err
    reason = pipeline.misfit(found)
    if reason:
        raise LoadError(reason)
    return found


def why_not(pipeline: Pinnable, find: Find) -> str:
    """Return why a pipeline can't be called now, "" when it can."""
    try:
        models_of(pipeline, find)
    except LoadError as err:
        return str(err)
    return ""
