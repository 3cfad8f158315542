"""The models folder: which names and versions stand in it. Looks at folder names only, never inside a file."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from soapsvc.errors import LoadError

log = logging.getLogger(__name__)
MANIFEST = "model.yaml"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_VERSION = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class VersionFolder:
    """A folder `<models>/<name>/<version>` that holds a manifest, found but not yet looked into."""

    name: str
    version: int
    path: Path

    def show(self, file: str) -> str:
        """Return a file's name as messages give it: without the folder that all models stand in."""
        return f"{self.name}/{self.version}/{file}"


def find_versions(models: Path) -> list[VersionFolder]:
    """Return every `<name>/<version>` folder that has a manifest, by name, then by version.

    A folder without a manifest is one still being copied: it is left alone, as is one with another kind of name.
    Raises LoadError when the models folder itself can't be listed.
    """
    try:
        entries = sorted(models.iterdir())
    except OSError as err:
        raise LoadError(
            f"the models folder {models} can't be listed ({err.strerror}); "
            "expected a folder that holds <name>/<version>/model.yaml"
        ) from err
    found = [folder for entry in entries if _is_named(entry, _NAME) for folder in _versions(entry)]
    return sorted(found, key=lambda folder: (folder.name, folder.version))


def version_folder(path: Path) -> VersionFolder:
    """Return one version's folder, as models/iris/1. Raises LoadError when the path is none."""
    path = path.resolve()
    if not path.name.isdigit() or not (path / MANIFEST).is_file():
        raise LoadError(f"{path.name}: expected a version's folder that holds {MANIFEST}, as models/iris/1")
    return VersionFolder(path.parent.name, int(path.name), path)


def _versions(model: Path) -> list[VersionFolder]:
    """Return one model's version folders, none and a line in the log when they can't be listed."""
    try:
        return [
            VersionFolder(model.name, int(version.name), version)
            for version in model.iterdir()
            if _is_named(version, _VERSION) and (version / MANIFEST).is_file()
        ]
    except OSError as err:
        log.error("the model folder %s can't be listed (%s); its versions are not served", model, err.strerror)
        return []


def _is_named(folder: Path, pattern: re.Pattern[str]) -> bool:
    """Whether a folder is named as a model or version is; one that is not, and not hidden, is told in the log."""
    if not folder.is_dir():
        return False
    fits = pattern.fullmatch(folder.name) is not None
    if not fits and not folder.name.startswith((".", "_")):
        log.warning("the folder %s is left alone: its name is not of the form %s", folder, pattern.pattern)
    return fits
