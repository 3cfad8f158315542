"""All real models, frozen by the command, in one folder behind one server."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
import zeep
from PIL import Image

from soapsvc.cli import main
from tests.conftest import Server, serving
from tests.real_models.packages import ASTRONAUT, PackagesMissing, add_packages

Array = np.ndarray
Predict = Callable[..., dict[str, Array]]


@pytest.fixture(scope="session", autouse=True)
def packages() -> None:
    """Make the packages importable, or fail with the command that installs them."""
    try:
        add_packages()
    except PackagesMissing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def sources(packages: None, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the recipes, by the models' names."""
    from tests.real_models.recipes import recipes

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation doesn't accept a copy")  # Keras saves so
        return {recipe.name: recipe for recipe in recipes(tmp_path_factory.mktemp("sources"))}


@pytest.fixture(scope="session")
def frozen(sources: Any, faces_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a models folder that `freeze` wrote; faces come as pictures, which its author writes into model.yaml."""
    folder = tmp_path_factory.mktemp("real") / "models"
    shutil.copytree(faces_models, folder)
    for name, recipe in sources.items():
        if not (folder / name).exists():
            assert main(["freeze", str(recipe.source), "--to", str(folder / name / "1"), *recipe.options]) == 0
    manifest = folder / "fer/1/model.yaml"
    content = yaml.safe_load(manifest.read_text())
    content["contract"]["inputs"] = {"faces": {"as": "image", "preprocess": {"range": [-1.0, 1.0]}}}
    manifest.write_text(yaml.safe_dump(content))
    return folder


@pytest.fixture(scope="session")
def real_server(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(frozen, tmp_path_factory.mktemp("real-log") / "server.log", "--pipeline-code", "faces") as running:
        yield running


@pytest.fixture(scope="session")
def predict(real_server: Server) -> Predict:
    """Return a function that runs a model over SOAP: its name and input arrays to output arrays."""
    service = zeep.Client(f"{real_server.url}/soap/inference/v1?wsdl").service

    def call(model: str, **inputs: Array) -> dict[str, Array]:
        items = [{"name": name, "tensor": tensor(array)} for name, array in inputs.items()]
        answer = service.predict(model, None, None, None, {"item": items})
        return {output.name: array_of(output.tensor) for output in answer.outputs.item}

    return call


def tensor(array: Array) -> dict[str, Any]:
    """Return an array as a Tensor of the contract, its values as bytes."""
    return {"dtype": array.dtype.name, "shape": {"item": list(array.shape)}, "content": array.tobytes()}


def array_of(answered: Any) -> Array:
    return np.frombuffer(answered.content, answered.dtype).reshape(answered.shape.item)


@pytest.fixture(scope="session")
def astronaut(packages: None) -> Array:
    """Return scikit-image's picture of Eileen Collins, uint8 (512, 512, 3)."""
    with Image.open(ASTRONAUT) as picture:
        return np.asarray(picture.convert("RGB"))
