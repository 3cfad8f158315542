"""What a URL takes is what its folder says: fields, tensors, dtypes, and whether instances are stacked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from soapsvc.predict.local import LocalService
from soapsvc.predict.remote import Access, RemoteService
from soapsvc.predict.remote_form import form_of
from soapsvc.predict.service import Form
from tests.conftest import Server


def essential(form: Form) -> Form:
    """Return a form without what no client can see: text is a kind of scalar, other things stay with the server."""
    hidden: dict[str, Any] = {"shape": None, "finite": False, "description": "", "preprocess": None}
    fields = [replace(field, **hidden, kind=field.kind.replace("text", "scalar")) for field in form.inputs]
    return replace(form, inputs=tuple(fields))


@pytest.mark.parametrize("model", ["iris", "digits", "language", "kinds"])
def test_form_of_a_url_is_that_of_its_folder(models: Path, server: Server, model: str) -> None:
    local = LocalService(models / model / "1", ())
    remote = RemoteService(f"{server.url}/soap/{model}/v1", Access())
    assert essential(remote.form) == essential(local.form)


def element(name: str) -> Any:
    return SimpleNamespace(type=SimpleNamespace(name=name), is_optional=False, nillable=False)


def spec(name: str, shape: list[int] | None, dtype: str = "float32") -> Any:
    return SimpleNamespace(name=name, dtype=dtype, shape=None if shape is None else SimpleNamespace(item=shape))


def metadata(inputs: list[Any], *outputs: Any) -> Any:
    return SimpleNamespace(inputs=SimpleNamespace(item=inputs), outputs=SimpleNamespace(item=list(outputs)))


@pytest.mark.parametrize(
    ("elements", "inputs", "output", "batched"),
    [
        ([("x", "double")], [spec("x", [])], [], False),
        ([("x", "double")], [spec("x", [-1])], [-1], True),
        ([("a", "double"), ("b", "double")], [spec("x", [2])], [], False),
        ([("a", "double"), ("b", "double")], [spec("x", [-1, 2])], [-1], True),
        ([("x", "ArrayOfDouble")], [spec("x", [-1])], [], False),
        ([("x", "ArrayOfDouble")], [spec("x", [-1, -1])], [-1], True),
        ([("x", "Tensor")], [spec("x", [-1, 2, 3])], [-1], True),
        ([("x", "Tensor")], [spec("x", [-1, 2, 3])], [3], False),
        ([("x", "Tensor")], [spec("x", None)], [-1], False),
    ],
)
def test_instances_are_stacked_where_a_tensor_has_a_dimension_more(
    elements: list[tuple[str, str]], inputs: list[Any], output: list[int], batched: bool
) -> None:
    form = form_of([(name, element(kind)) for name, kind in elements], metadata(inputs, spec("y", output)), 8)
    assert form.batched is batched
    assert {field.tensor for field in form.inputs} == {"x"}


def test_tensors_of_another_contract_are_not_taken() -> None:
    form = form_of([("x", element("double"))], metadata([spec("y", [-1]), spec("z", [-1])], spec("o", [-1])), 8)
    assert [field.tensor for field in form.inputs] == ["x"]
