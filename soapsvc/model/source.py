"""The models folder: which names and versions stand in it. Never looks inside a file."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from soapsvc.errors import LoadError

log = logging.getLogger(__name__)
MANIFEST = "model.yaml"
Stamp = dict[str, tuple[int, int]]  # a file's name -> its size and the time of its last change, in ns
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

    def file(self, name: str) -> Path:
        """Return the path of a file in the folder. Raises LoadError when it is a link that leads out of it."""
        path = self.path / name
        if not path.resolve().is_relative_to(self.path.resolve()):
            raise LoadError(f"{self.show(name)}: a link out of the version's folder; put the file itself there")
        return path

    def stamp(self) -> Stamp:
        """Return what tells whether a file was changed, {} when the folder can't be read."""
        try:
            files = [(path.name, path.stat()) for path in self.path.iterdir() if path.is_file()]
        except OSError:
            return {}
        return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in files}


@dataclass(frozen=True)
class Listing:
    """What one look at the models folder found.

    folders: by name, then by version.  unreadable: models whose folder can't be listed, and why, in a sentence.
    ignored: sentences on folders whose name is no model's or version's.
    """

    folders: tuple[VersionFolder, ...]
    unreadable: dict[str, str]
    ignored: tuple[str, ...]


def list_versions(models: Path) -> Listing:
    """Return every `<name>/<version>` folder that has a manifest.

    A folder without a manifest is one still being copied: it is left alone, as is one with another kind of name.
    Raises LoadError when the models folder itself can't be listed.
    """
    ignored: list[str] = []
    try:
        names = [entry for entry in sorted(models.iterdir()) if _is_named(entry, _NAME, ignored)]
    except OSError as err:
        raise LoadError(
            f"the models folder {models} can't be listed ({err.strerror}); "
            "expected a folder that holds <name>/<version>/model.yaml"
        ) from err
    folders: list[VersionFolder] = []
    unreadable = {}
    for model in names:
        try:
            folders += _versions(model, ignored)
        except OSError as err:
            why = f"can't be listed ({err.strerror}); no new version in it is served"
            unreadable[model.name] = f"the model folder {model} {why}"
    folders.sort(key=lambda folder: (folder.name, folder.version))
    return Listing(tuple(folders), unreadable, tuple(ignored))


def find_versions(models: Path) -> list[VersionFolder]:
    """Return the folders of `list_versions`, with the rest in the log. Raises LoadError as it does."""
    listing = list_versions(models)
    for words in listing.unreadable.values():
        log.error("%s", words)
    for words in listing.ignored:
        log.warning("%s", words)
    return list(listing.folders)


def version_folder(path: Path) -> VersionFolder:
    """Return one version's folder, as models/iris/1. Raises LoadError when the path is none."""
    path = path.resolve()
    if not path.name.isdigit() or not (path / MANIFEST).is_file():
        raise LoadError(f"{path.name}: expected a version's folder that holds {MANIFEST}, as models/iris/1")
    return VersionFolder(path.parent.name, int(path.name), path)


def _versions(model: Path, ignored: list[str]) -> list[VersionFolder]:
    return [
        VersionFolder(model.name, int(version.name), version)
        for version in model.iterdir()
        if _is_named(version, _VERSION, ignored) and (version / MANIFEST).is_file()
    ]


def _is_named(folder: Path, pattern: re.Pattern[str], ignored: list[str]) -> bool:
    """Whether a folder is named as a model or version is; one that is not, and not hidden, is told."""
    if not folder.is_dir():
        return False
    fits = pattern.fullmatch(folder.name) is not None
    if not fits and not folder.name.startswith((".", "_")):
        ignored.append(f"the folder {folder} is left alone: its name is not of the form {pattern.pattern}")
    return fits
