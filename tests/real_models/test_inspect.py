"""`inspect` on the files that the packages hold: what it says of inputs, outputs and parameters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from soapsvc.cli import main

EXPECTED = {  # what it is, parameters, inputs that the answer needs, the answer
    "mtcnn-pnet": ("Keras file, Functional model", 6_632, ["patches"], "conv4-2"),
    "mtcnn-rnet": ("Keras file, Functional model", 100_178, ["patches"], "fc5-2"),
    "mtcnn-onet": ("Keras file, Functional model", 389_040, ["patches"], "fc6-3"),
    "fer": ("Keras HDF5 file, Model model", 58_423, ["input_1"], "predictions"),
    "musicnn": (
        "TF1 meta graph with its checkpoint",
        792_079,
        ["model/Placeholder:0", "model/Placeholder_2:0"],
        "model/Sigmoid:0",
    ),
    "cutkum": (
        "frozen graph",
        1_649_925,
        [f"placeholder/{name}:0" for name in ("inputs", "seq_lengths", "fw_state", "keep_prob")],
        "probs:0",
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_model_is_told_with_parameters_inputs_and_answer(
    name: str, sources: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(sources[name].source), "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    what, parameters, inputs, answer = EXPECTED[name]
    assert (found["what"], found["parameters"]) == (what, parameters)
    assert answer in {each["tensor"] for each in found["outputs"]}
    assert len(found["outputs"]) <= 3, "training's ends are passed over"
    needed = {each["tensor"]: each["why"] for each in found["inputs"]}
    users = answer.removesuffix(":0")
    assert [name for name, why in needed.items() if why == "the model's input layer" or users in why] == inputs
