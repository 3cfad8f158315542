"""Makes a pipeline of a folder: its steps with their functions and models, planned and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

from soapsvc.errors import LoadError, ModelNotFound
from soapsvc.model.description import Description
from soapsvc.model.folder_code import FolderCode
from soapsvc.model.labels_file import read_labels
from soapsvc.model.pipeline import Pinned, Pipeline, plan
from soapsvc.model.servable import Given, Need, Servable
from soapsvc.model.source import VersionFolder, list_versions
from soapsvc.model.step_entries import StepEntry
from soapsvc.model.step_functions import find
from soapsvc.model.steps import FunctionStep, ModelStep, Step


class Lender(Protocol):
    """Who has models: the manager of a server, or `Neighbours`."""

    def handle(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> AbstractContextManager[Servable]:
        """Lend a servable. Raises ModelNotFound."""


class Neighbours:
    """Loads the models that stand in the folders beside a pipeline's, for it alone.

    A label that stands in no labels.yaml means the highest version, for the settings of a server are not known.
    """

    def __init__(self, folder: VersionFolder, load: Callable[[VersionFolder], Servable]) -> None:
        self._models, self._load = folder.path.parents[1], load

    @contextmanager
    def handle(self, name: str, version: int | None = None, label: str | None = None) -> Iterator[Servable]:
        """Lend a servable that is freed again afterwards. Raises ModelNotFound, LoadError."""
        folders = {each.version: each for each in list_versions(self._models).folders if each.name == name}
        if version is None and label is not None:
            version = read_labels(self._models, name).get(label)
        chosen = max(folders, default=0) if version is None else version
        if chosen not in folders:
            raise ModelNotFound("unknown-version", f"{self._models} has no {Need(name, version)}")
        servable = self._load(folders[chosen])
        try:
            yield servable
        finally:
            servable.graph.close()


def build_pipeline(
    folder: VersionFolder, described: Description, code: tuple[str, ...], lender: Lender, models: ExitStack
) -> tuple[Pipeline, Given]:
    """Return a folder's pipeline, and the models that it runs now. models: keeps them lent.

    code: the pipelines whose folder may hold Python. Raises LoadError.
    """
    steps: list[Step] = []
    own = FolderCode(folder, code)
    given: dict[Need, Servable] = {}
    for name, entry in (described.manifest.steps or {}).items():
        try:
            if entry.model is None:
                steps.append(_function_step(name, entry, own))
            else:
                need = Need(entry.model, entry.version, entry.label)
                if need not in given:
                    given[need] = models.enter_context(lender.handle(need.model, need.version, need.label))
                steps.append(_model_step(name, entry, need, given[need]))
        except (LoadError, ModelNotFound) as err:
            raise LoadError(f"steps.{name}.{err}" if isinstance(err, LoadError) else f"steps.{name}: {err}") from err
    return Pipeline(folder.name, plan(steps, described.signatures)), given


def _model_step(name: str, entry: StepEntry, need: Need, servable: Servable) -> ModelStep:
    if isinstance(servable.graph, Pinned):
        raise LoadError(f"model: {need.model} is a pipeline itself; name the models that it runs")
    try:
        signature = servable.find_signature(entry.signature)
    except ModelNotFound as err:
        raise LoadError(f"signature: {err}") from err
    return ModelStep(name, entry.inputs, need, entry.signature, signature)


def _function_step(name: str, entry: StepEntry, own: FolderCode) -> FunctionStep:
    file, colon, function_name = (entry.function or "").rpartition(":")
    function = own.find(file, function_name) if colon else find(function_name)
    return FunctionStep(name, entry.inputs, function, function.check_arguments(entry.arguments))
