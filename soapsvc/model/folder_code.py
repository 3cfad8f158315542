"""Functions out of the Python files in a pipeline's folder. To find one runs its file, so a setting has to allow it."""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType
from typing import Any

from soapsvc.errors import LoadError
from soapsvc.model.source import VersionFolder
from soapsvc.model.step_functions import Function


class FolderCode:
    """The Python of one folder, each file run once."""

    def __init__(self, folder: VersionFolder, allowed: tuple[str, ...]) -> None:
        """allowed: the pipelines whose folder may hold Python."""
        self._folder, self._allowed = folder, allowed
        self._modules: dict[str, ModuleType] = {}

    def find(self, file: str, name: str) -> Function:
        """Return a function of a file. Raises LoadError."""
        if self._folder.name not in self._allowed:
            raise LoadError(
                f"function: {file} is Python, which is not allowed to run here; the setting pipeline_code allows it "
                f"for {', '.join(self._allowed) or 'no pipeline'}"
            )
        if file not in self._modules:
            self._modules[file] = _module(self._folder, file)
        found = getattr(self._modules[file], name, None)
        if not isinstance(found, Function):
            raise LoadError(f"function: {file} has no {name} made with soapsvc.model.step_functions.function")
        return found


class _NoCache(SourceFileLoader):
    """Leaves no compiled files in the models folder."""

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Write nothing."""


def _module(folder: VersionFolder, file: str) -> ModuleType:
    name = f"soapsvc_pipeline_{folder.name.replace('-', '_')}_{folder.version}_{file.removesuffix('.py')}"
    spec = spec_from_loader(name, _NoCache(name, str(folder.file(file))))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their own module up
    try:
        spec.loader.exec_module(module)
    except Exception as err:
        raise LoadError(f"function: {file} can't be imported: {err.__class__.__name__}: {err}") from err
    return module
