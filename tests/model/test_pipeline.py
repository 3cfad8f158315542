"""Pipelines: what is checked at load, what a call runs, and what becomes of one whose models change under it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from soapsvc.cli import main
from soapsvc.console.home import HomePage
from soapsvc.engine.local import LocalEngine
from soapsvc.errors import InvalidInput, Unavailable
from soapsvc.model.contract import Contract
from soapsvc.model.lifecycle import Lifecycle
from soapsvc.model.loader import load
from soapsvc.model.manager import ModelManager
from soapsvc.model.policy import VersionPolicies
from soapsvc.model.servable import Servable
from soapsvc.model.source import VersionFolder, version_folder
from soapsvc.model.status import State
from soapsvc.model.steps import StepFailed
from soapsvc.model.trial import try_versions
from soapsvc.soap.contracts import Contracts
from tests.conftest import ROOT
from tests.model.folders import DOUBLE, changed, graph_bytes, jsonl, reason, write_version

FOUR: dict[str, Any] = {  # y = 2 * 2 * x, then the rows whose first value is above 10
    "format": 1,
    "name": "four",
    "steps": {
        "twice": {"model": "double", "inputs": {"x": "x"}},
        "again": {"model": "double", "inputs": {"x": "twice.y"}},
        "best": {"function": "best", "inputs": {"scores": "again.y"}},
        "large": {"function": "threshold", "inputs": {"scores": "best.scores"}, "with": {"above": 10}},
        "kept": {"function": "take", "inputs": {"values": "again.y", "places": "large.kept"}},
    },
    "signatures": {
        "predict": {
            "inputs": {"x": {"tensor": "x", "dtype": "float32", "shape": ["rows", 2]}},
            "outputs": {"y": {"tensor": "kept.taken", "dtype": "float32", "shape": ["large", 2]}},
        }
    },
    "warmup": {},
}
FOUR_GOLDEN = jsonl({"inputs": {"x": [[1, 2], [3, 4]]}, "outputs": {"y": [[12, 16]]}})
CROPS: dict[str, Any] = {  # doubles each row of a picture that stands in boxes, two pixels wide
    "format": 1,
    "name": "crops",
    "steps": {
        "cut": {"function": "crop", "inputs": {"picture": "picture", "boxes": "boxes"}},
        "rows": {"function": "functions.py:as_rows", "inputs": {"picture": "cut.crops"}},
        "all": {"function": "flatten", "inputs": {"items": "rows.rows"}},
        "double": {"model": "double", "inputs": {"x": "all.rows"}},
    },
    "signatures": {
        "predict": {
            "inputs": {
                "picture": {"tensor": "picture", "dtype": "float32", "shape": [None, None, 1]},
                "boxes": {"tensor": "boxes", "dtype": "float32", "shape": ["crops", 4]},
            },
            "outputs": {
                "y": {"tensor": "double.y", "dtype": "float32", "shape": ["rows", 2]},
                "owners": {"tensor": "all.owners", "dtype": "int64", "shape": ["rows"]},
            },
        }
    },
}
FUNCTIONS = """
from soapsvc.model.step_functions import function

@function({"picture": "float32[h, w, 1]"}, {"rows": "float32[h, 2]"})
def as_rows(picture):
    return picture[..., 0]

@function({"x": "t[n, 2]"}, {"y": "t[n, 2]"})
def raises(x):
    raise KeyError("colour")

@function({"x": "t[n, 2]"}, {"y": "t[n, 2]"})
def wrong_shape(x):
    return x[:, :1]
"""


def write_pipeline(models: Path, manifest: dict[str, Any], *, version: int = 1, **files: str) -> VersionFolder:
    folder = write_version(models, manifest, b"", version=version, **files)
    (folder.path / "model.pb").unlink()
    (folder.path / "functions.py").write_text(FUNCTIONS)
    return folder


def run(servable: Servable, **inputs: Any) -> dict[str, Any]:
    return servable.run(servable.find_signature(None), {name: np.asarray(each) for name, each in inputs.items()})


def floats(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 2)


@pytest.fixture
def double_model(models: Path, double: bytes) -> Path:
    write_version(models, changed(DOUBLE, "limits.max_batch", 3), double)
    return models


@pytest.fixture
def four(double_model: Path) -> Iterator[Servable]:
    servable = load(write_pipeline(double_model, FOUR, warmup=FOUR_GOLDEN))
    yield servable
    servable.graph.close()


@pytest.fixture
def crops(double_model: Path) -> Iterator[Servable]:
    servable = load(write_pipeline(double_model, CROPS), pipeline_code=("crops",))
    yield servable
    servable.graph.close()


def test_steps_run_in_the_order_of_their_values(four: Servable) -> None:
    assert run(four, x=floats((1, 2), (3, 4), (5, 0)))["y"].tolist() == [[12, 16], [20, 0]]
    assert four.runner == "pipeline of double"
    assert list(four.step_times) == ["twice", "again", "best", "large", "kept"]


def test_models_get_no_more_than_their_batch_and_nothing_is_an_empty_answer(four: Servable) -> None:
    x = np.arange(2000, dtype=np.float32).reshape(1000, 2)
    np.testing.assert_array_equal(run(four, x=x)["y"], x[(x[:, 1] * 4 > 10)] * 4)
    assert run(four, x=floats())["y"].shape == (0, 2)


def test_crops_of_different_heights_and_none_go_through(crops: Servable) -> None:
    picture = np.arange(12, dtype=np.float32).reshape(6, 2, 1)
    boxes = np.array([[0, 0, 2, 1], [0, 2, 2, 3]], np.float32)
    answer = run(crops, picture=picture, boxes=boxes)
    assert answer["y"].tolist() == [[0, 2], [8, 10], [12, 14], [16, 18]]
    assert answer["owners"].tolist() == [0, 1, 1, 1]
    none = run(crops, picture=picture, boxes=np.zeros((0, 4), np.float32))
    assert (none["y"].shape, none["owners"].shape) == ((0, 2), (0,))


def test_a_thousand_crops_go_through(crops: Servable) -> None:
    boxes = np.tile(np.array([[0, 1, 2, 2]], np.float32), (1000, 1))
    answer = run(crops, picture=np.ones((6, 2, 1), np.float32), boxes=boxes)
    assert answer["y"].shape == (2000, 2)
    assert answer["owners"][-1] == 999


def test_list_goes_into_a_model_instance_by_instance(double_model: Path) -> None:
    steps = {
        "cut": {"function": "unstack", "inputs": {"values": "x"}},
        "twice": {"model": "double", "inputs": {"x": "cut.items"}},
        "all": {"function": "stack", "inputs": {"items": "twice.y"}},
    }
    manifest = changed(changed(FOUR, "steps", steps), "signatures.predict.outputs.y.tensor", "all.stacked")
    servable = load(write_pipeline(double_model, changed(manifest, "warmup", None)))
    assert run(servable, x=floats((1, 2), (3, 4), (5, 6), (7, 8)))["y"].tolist() == [[2, 4], [6, 8], [10, 12], [14, 16]]
    assert run(servable, x=floats())["y"].shape == (0, 2)
    servable.graph.close()


def test_one_instance_goes_into_a_model_as_it_is(double_model: Path) -> None:
    steps = {"twice": {"model": "double", "inputs": {"x": "x"}}}
    signature = {
        "inputs": {"x": {"tensor": "x", "dtype": "float32", "shape": [2]}},
        "outputs": {"y": {"tensor": "twice.y", "dtype": "float32", "shape": [2]}},
    }
    manifest = changed(changed(changed(FOUR, "steps", steps), "signatures.predict", signature), "warmup", None)
    servable = load(write_pipeline(double_model, manifest))
    assert run(servable, x=np.array([1, 2], np.float32))["y"].tolist() == [2, 4]
    servable.graph.close()


def test_steps_that_do_not_wait_for_each_other_run_side_by_side(double_model: Path) -> None:
    folder = write_pipeline(double_model, changed(CROPS, "steps", {
        "one": {"function": "functions.py:meet", "inputs": {"x": "boxes"}},
        "two": {"function": "functions.py:meet", "inputs": {"x": "boxes"}},
        "both": {"function": "functions.py:add", "inputs": {"x": "one.y", "y": "two.y"}},
    }) | {"signatures": {"predict": {
        "inputs": {"boxes": {"tensor": "boxes", "dtype": "float32", "shape": [4]}},
        "outputs": {"y": {"tensor": "both.z", "dtype": "float32", "shape": [4]}},
    }}})  # fmt: skip
    (folder.path / "functions.py").write_text("""
import threading
from soapsvc.model.step_functions import function
barrier = threading.Barrier(2, timeout=30)

@function({"x": "t[n]"}, {"y": "t[n]"})
def meet(x):
    barrier.wait()
    return x

@function({"x": "t[n]", "y": "t[n]"}, {"z": "t[n]"})
def add(x, y):
    return x + y
""")
    servable = load(folder, pipeline_code=("crops",))
    assert run(servable, boxes=np.ones(4, np.float32))["y"].tolist() == [2, 2, 2, 2]
    servable.graph.close()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("raises", "step broken: raises raises KeyError: 'colour'"),
        ("wrong_shape", "step broken: its output y: expected t[n, 2] with t = float32, n = 1, received float32 [1, 1]"),
    ],
)
def test_step_that_breaks_is_named(double_model: Path, name: str, words: str) -> None:
    manifest = changed(FOUR, "steps.broken", {"function": f"functions.py:{name}", "inputs": {"x": "again.y"}})
    manifest = changed(manifest, "signatures.predict.outputs.y.tensor", "broken.y")
    servable = load(write_pipeline(double_model, changed(manifest, "warmup", None)), pipeline_code=("four",))
    with pytest.raises(StepFailed) as caught:
        run(servable, x=floats((1, 2)))
    assert str(caught.value) == words
    servable.graph.close()


def test_instance_over_a_models_limit_is_invalid_input(double_model: Path, double: bytes) -> None:
    write_version(double_model, changed(DOUBLE, "limits.max_elements", 1), double, version=2)
    servable = load(write_pipeline(double_model, changed(FOUR, "warmup", None)))
    with pytest.raises(InvalidInput, match="at most 1 values, received 2"):
        run(servable, x=floats((1, 2), (3, 4)))
    servable.graph.close()


def test_trial_loads_a_pipeline_with_the_models_beside_it(double_model: Path) -> None:
    folders = [write_pipeline(double_model, FOUR, warmup=FOUR_GOLDEN), write_pipeline(double_model, CROPS)]
    reasons = try_versions(folders, (), 120, ())
    assert list(reasons) == folders[1:]
    assert "functions.py is Python, which is not allowed to run here" in reasons[folders[1]]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (
            "steps.twice.inputs.x",
            "again.y",
            "steps: a circle: again waits for twice waits for again",
        ),
        ("steps.twice.inputs.x", "z", "steps.twice.inputs.x: there is no value z; there are x, again.…"),
        ("steps.again.inputs.x", "twice.z", "steps.again.inputs.x: there is no value twice.z"),
        ("steps.twice.inputs", {"z": "x"}, "steps.twice.inputs.z: there is no such input; there are x"),
        ("steps.large.with", {}, "steps.large.with.above: threshold needs it"),
        ("steps.large.with", {"above": 1, "below": 2}, "steps.large.with.below: threshold has no such argument"),
        ("steps.large.with.above", "high", "steps.large.with.above: Input should be a valid number"),
        ("steps.large.function", "thresh", "steps.large.function: thresh is not in the library; it has best, "),
        ("steps.large.function", "functions.py:raises", "functions.py is Python, which is not allowed to run here"),
        ("steps.large.inputs.scores", "again.y", "expected number[n] with number = float32, received float32 [any, 2]"),
        ("steps.best.inputs.scores", "large.kept", "steps: a circle"),
        ("steps.twice.model", "triple", "has no model triple"),
        ("steps.twice.version", 7, "has no model double version 7"),
        ("steps.twice.signature", "train", "steps.twice.signature: double has no signature train"),
        ("signatures.predict.inputs.x.dtype", "float64", "steps.twice.inputs.x: expected float32 [any, 2], received"),
        ("signatures.predict.inputs.x.shape", ["rows", 3], "expected float32 [any, 2], received float32 [any, 3]"),
        ("signatures.predict.outputs.y.tensor", "kept.rows", "outputs.y.tensor: there is no value kept.rows"),
        ("signatures.predict.outputs.y.dtype", "int64", "expected int64 [any, 2], but kept.taken is float32 [any, 2]"),
        ("graph", {"file": "model.pb"}, "`graph` goes with a graph, not with `steps`"),
        ("signatures.predict.outputs.y.tensor", "y:0", "expected a step's value, as `find.boxes`, received 'y:0'"),
    ],
)
def test_wiring_that_makes_no_sense_is_refused(double_model: Path, path: str, value: Any, words: str) -> None:
    folder = write_pipeline(double_model, changed(FOUR, path, value), warmup=FOUR_GOLDEN)
    assert words in reason(lambda: load(folder))


class Container:
    """A server's model container over a folder, without the server."""

    def __init__(self, models: Path) -> None:
        self.models = models
        self.manager = ModelManager(lambda folder: load(folder, lender=self.manager))
        self.lifecycle = Lifecycle(models, self.manager, _AnyContract(), VersionPolicies({"*": "all"}), {}, None)
        self.lifecycle.start(None)

    def status(self) -> tuple[State, str]:
        (status,) = [each for each in self.manager.status() if each.name == "all-four"]
        return status.state, status.reason

    def add(self, manifest: dict[str, Any], graph: bytes, version: int) -> None:
        folder = write_version(self.models, manifest, graph, version=version)
        self.manager.load(folder, lambda _: None)

    def call(self, *rows: tuple[float, float]) -> Any:
        with self.manager.handle("all-four") as servable:
            return run(servable, x=floats(*rows))["y"].tolist()


class _AnyContract:
    def expect(self, model: str, contracts: Sequence[Contract]) -> None:
        """Expect nothing."""

    def admit(self, servable: Servable) -> None:
        """Admit all."""


@pytest.fixture
def container(double_model: Path) -> Container:
    """Return one with a pipeline whose name comes before that of the model it needs."""
    write_pipeline(double_model, changed(FOUR, "name", "all-four"), warmup=FOUR_GOLDEN)
    return Container(double_model)


@pytest.fixture(scope="module")
def triple() -> bytes:
    return graph_bytes(lambda v1: v1.multiply(v1.placeholder("float32", [None, 2], name="x"), 3.0, name="y"))


def test_pipeline_is_loaded_after_its_models(container: Container) -> None:
    assert container.status() == (State.AVAILABLE, "")
    assert container.call((3, 4)) == [[12, 16]]


def test_versions_of_models_are_pinned_while_a_call_runs(container: Container, triple: bytes) -> None:
    with container.manager.handle("all-four") as servable:
        container.add(DOUBLE, triple, version=2)
        container.manager.unload_soon("double", 1, "replaced")
        assert run(servable, x=floats((3, 4)))["y"].tolist() == [[12, 16]]
    assert container.call((3, 4)) == [[27, 36]]
    states = {each.version: each.state for each in container.manager.status() if each.name == "double"}
    assert states[1] in (State.UNLOADING, State.END)
    assert states[2] is State.AVAILABLE


def test_pipeline_is_unavailable_while_its_model_is_gone(container: Container, double: bytes) -> None:
    container.manager.unload("double", 1)
    assert container.status() == (State.UNAVAILABLE, "no model named 'double' is available; available are all-four")
    with pytest.raises(Unavailable, match="all-four can't answer now: no model named 'double' is available"):
        container.call((3, 4))
    page = HomePage(container.manager, Contracts(container.manager, LocalEngine()), "http://localhost")()
    assert '<td class="UNAVAILABLE">UNAVAILABLE</td>' in page
    container.add(DOUBLE, double, version=2)
    assert container.status() == (State.AVAILABLE, "")
    assert container.call((3, 4)) == [[12, 16]]


def test_pipeline_is_unavailable_while_its_model_has_another_shape(container: Container) -> None:
    wide = graph_bytes(lambda v1: v1.multiply(v1.placeholder("float32", [None, 3], name="x"), 2.0, name="y"))
    three = changed(DOUBLE, "signatures.predict.inputs.x.shape", ["batch", 3])
    container.add(changed(three, "signatures.predict.outputs.y.shape", ["batch", 3]), wide, version=2)
    reason = "step twice: double version 2: input x was float32 [any, 2], is float32 [any, 3]"
    assert container.status() == (State.UNAVAILABLE, reason)
    container.manager.unload("double", 2)
    assert container.status() == (State.AVAILABLE, "")


def test_pipeline_is_loaded_once_its_model_is_there(models: Path, double: bytes) -> None:
    write_pipeline(models, changed(FOUR, "name", "all-four"), warmup=FOUR_GOLDEN)
    container = Container(models)
    state, why = container.status()
    assert state is State.END
    assert ": no model named 'double' is available" in why
    write_version(models, DOUBLE, double)
    container.lifecycle.start(None)
    assert container.status() == (State.AVAILABLE, "")


def test_pipeline_of_a_pipeline_is_refused(container: Container) -> None:
    steps = {"all": {"model": "all-four", "inputs": {"x": "x"}}}
    manifest = changed(changed(FOUR, "steps", steps), "signatures.predict.outputs.y.tensor", "all.y")
    folder = write_pipeline(container.models, manifest)
    words = "steps.all.model: all-four is a pipeline itself; name the models that it runs"
    assert words in reason(lambda: load(folder, lender=container.manager))
    assert words in reason(lambda: load(folder))


def test_parts_in_one_graph_answer_as_the_steps_do(double_model: Path, triple: bytes, tmp_path: Path) -> None:
    write_version(double_model, changed(DOUBLE, "name", "triple"), triple)
    steps = {
        "first": {"model": "double", "inputs": {"x": "x"}},
        "second": {"model": "triple", "inputs": {"x": "first.y"}},
    }
    signature = {
        "inputs": {"x": {"tensor": "x", "dtype": "float32", "shape": ["batch", 2]}},
        "outputs": {"y": {"tensor": "second.y", "dtype": "float32", "shape": ["batch", 2]}},
    }
    manifest = changed(changed(changed(FOUR, "steps", steps), "signatures.predict", signature), "warmup", None)
    wiring = tmp_path / "wiring.yaml"
    wiring.write_text("wires: {second.x: first.y}\noutputs: {y: second.y}\ninputs: {x: [first.x]}\n")
    parts = [
        f"--part={scope}={double_model / name}/1/model.pb"
        for scope, name in (("first", "double"), ("second", "triple"))
    ]
    assert main(["freeze", *parts, "--wiring", str(wiring), "--to", str(double_model / "joined" / "1")]) == 0
    joined, wired = load(version_folder(double_model / "joined" / "1")), load(write_pipeline(double_model, manifest))
    x = np.random.default_rng(1).normal(size=(7, 2)).astype(np.float32)
    np.testing.assert_array_equal(run(joined, x=x)["y"], run(wired, x=x)["y"])
    np.testing.assert_allclose(run(wired, x=x)["y"], 6 * x, rtol=1e-6)
    joined.graph.close()
    wired.graph.close()


def finder_graph(v1: Any) -> None:
    v1.nn.avg_pool2d(v1.placeholder("float32", [None, None, None, 1], name="x"), 4, 4, "SAME", name="y")


def digits32_graph(v1: Any) -> None:
    x = v1.placeholder("float32", [None, 32, 32, 1], name="x")
    v1.nn.softmax(v1.reshape(x, [-1, 1024])[:, :10], name="y")


def test_first_pipeline_of_the_page_reads_a_plate(models: Path) -> None:
    page = (ROOT / "docs/pipelines.md").read_text()
    manifest = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    (own,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    for name, output, graph, sizes, answer in (
        ("finder", "scores", finder_graph, [None, None, 1], [None, None, 1]),
        ("digits32", "probabilities", digits32_graph, [32, 32, 1], [10]),
    ):
        given = {"pictures": {"tensor": "x:0", "dtype": "float32", "shape": ["batch", *sizes]}}
        gives = {output: {"tensor": "y:0", "dtype": "float32", "shape": ["batch", *answer]}}
        part = {"format": 1, "name": name, "signatures": {"predict": {"inputs": given, "outputs": gives}}}
        write_version(models, part, graph_bytes(graph))
    content = BytesIO()
    plate = np.zeros((40, 80), np.uint8)
    plate[8:24, 8:20] = plate[8:24, 40:56] = 255
    Image.fromarray(plate).save(content, "PNG")
    call = {"inputs": {"image": {"b64": base64.b64encode(content.getvalue()).decode()}}}
    folder = write_pipeline(models, manifest, warmup=jsonl(call))
    (folder.path / "functions.py").write_text(own)
    servable = load(folder, pipeline_code=("plates",))
    answer = run(servable, image=np.asarray(content.getvalue(), object))
    assert answer["boxes"].tolist() == [[8, 8, 12, 16], [40, 8, 16, 16]]
    assert answer["scores"].shape == (2, 10)
    servable.graph.close()
