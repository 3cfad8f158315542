"""The folder that `init` makes: a bundled model, the WSDL it publishes, and files made from templates.

Written beside its place and renamed, so that there is all of it or nothing.
"""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from soapsvc import __version__
from soapsvc.errors import LoadError
from soapsvc.model.description import describe
from soapsvc.model.source import find_versions
from soapsvc.soap.contracts import unserved_contracts
from soapsvc.soap.ns import SoapVersion

_BUNDLED = Path(__file__).parent / "models"
_URL = "http://localhost:8080"  # in the published WSDL; a server puts its own in what it hands out


def write_starter(folder: Path) -> None:
    """Write a folder that a server can serve. Raises LoadError when it is not empty, or can't be written."""
    place = folder.resolve()
    try:
        _check_free(place, folder)
        fresh = place.with_name(f".{place.name}.{uuid.uuid4().hex}.new")
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            _fill(fresh)
            if place.exists():
                place.rmdir()  # it is empty, and not every system renames onto it
            fresh.rename(place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as err:
        raise LoadError(f"{folder}: can't be written: {err.strerror or err}") from err


def _check_free(place: Path, folder: Path) -> None:
    if place == Path.cwd():
        raise LoadError(f"{folder}: is the folder you are in; name a new one, as {folder / 'models-service'}")
    if place.exists() and not place.is_dir():
        raise LoadError(f"{folder}: is a file; name a folder that is new or empty")
    if place.exists() and (found := sorted(entry.name for entry in place.iterdir())):
        raise LoadError(f"{folder}: is not empty, it holds {found[0]}; name a folder that is new or empty")


def _fill(fresh: Path) -> None:
    shutil.copytree(_BUNDLED, fresh / "models", ignore=shutil.ignore_patterns("__pycache__"))
    (fresh / "contracts").mkdir()
    contracts = unserved_contracts()
    for version in find_versions(fresh / "models"):
        endpoint = contracts.endpoint_of(describe(version).contract, SoapVersion.SOAP11)
        address = _URL + endpoint.names.path(endpoint.soap)
        (fresh / "contracts" / f"{version.name}.wsdl").write_bytes(endpoint.wsdl_at(address))
    loader = PackageLoader("soapsvc.starter")
    environment = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701  # no HTML
    for name in environment.list_templates():
        text = environment.get_template(name).render(release=__version__)
        (fresh / name).write_text(text, encoding="utf-8", newline="\n")
