"""The manifest's key `session`: what it may say, and how memory gets in and out of a graph."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from soapsvc.errors import LoadError
from soapsvc.model.binding import Binding
from soapsvc.model.conversation import Conversation, Memory
from soapsvc.model.description import Description, describe
from soapsvc.model.signature import Limits
from soapsvc.model.source import VersionFolder
from tests.model.folders import changed

MANIFEST: dict[str, Any] = yaml.safe_load("""
format: 1
name: talk
signatures:
  predict:
    inputs:
      question: {tensor: "question:0", dtype: string, shape: [batch]}
      hidden: {tensor: "hidden:0", dtype: float32, shape: [batch, 2]}
      log: {tensor: "log:0", dtype: string, shape: [batch]}
      turns: {tensor: "turns:0", dtype: string, shape: [batch, 3, 2]}
    outputs:
      sentence: {tensor: "sentence:0", dtype: string, shape: [batch]}
      next_hidden: {tensor: "next_hidden:0", dtype: float32, shape: [batch, 2]}
      next_log: {tensor: "next_log:0", dtype: string, shape: [batch]}
session:
  state:
    hidden: {output: next_hidden, initial: 0.5}
    log: {output: next_log, initial: "ü"}
  turns: {input: turns, last: 3}
  functions: [time]
""")


def described(folder: Path, manifest: dict[str, Any]) -> Description:
    path = folder / "talk" / "1"
    path.mkdir(parents=True)
    (path / "model.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))
    return describe(VersionFolder("talk", 1, path))


@pytest.fixture
def talk(tmp_path: Path) -> Conversation:
    conversation = described(tmp_path, MANIFEST).conversation
    assert conversation is not None
    return conversation


def test_what_a_session_feeds_is_not_in_the_contract(tmp_path: Path) -> None:
    contract = described(tmp_path, MANIFEST).contract
    assert contract.converses
    assert [field.element for field in contract.inputs] == ["question"]
    assert [field.element for field in contract.outputs] == ["sentence"]


def test_new_session_is_fed_initial_values_and_empty_turns(talk: Conversation) -> None:
    feeds = talk.feeds(talk.start, 2)
    assert feeds["hidden"].tolist() == [[0.5, 0.5]] * 2
    assert feeds["hidden"].dtype == np.float32
    assert feeds["log"].tolist() == ["ü".encode()] * 2
    assert feeds["turns"].tolist() == [[[b"", b""]] * 3] * 2


def test_turns_are_fed_oldest_first_at_the_end_and_the_last_are_kept(talk: Conversation) -> None:
    memory = talk.start
    for number in range(5):
        outputs = {"next_hidden": np.full((1, 2), number, np.float32), "next_log": np.array([b"%d" % number], object)}
        memory = talk.after(memory, outputs, [f"q{number}"], (f"s{number}",))
        if number == 1:
            assert talk.feeds(memory)["turns"].tolist() == [[[b"", b""], [b"q0", b"s0"], [b"q1", b"s1"]]]
    assert memory.turns == (("q2", "s2"), ("q3", "s3"), ("q4", "s4"))
    feeds = talk.feeds(memory)
    assert (feeds["hidden"].tolist(), feeds["log"].tolist()) == ([[4, 4]], [b"4"])
    assert talk.takes(memory)
    assert not talk.takes(Memory({"log": memory.state["log"]}))


def test_graph_that_gives_what_it_can_not_be_fed_is_a_defect(talk: Conversation) -> None:
    outputs = {"next_hidden": np.zeros((1, 3), np.float32), "next_log": np.array([b""], object)}
    with pytest.raises(RuntimeError, match="next_hidden"):
        talk.after(talk.start, outputs, ["q"], ("s",))


def test_slots_of_the_sentence_are_filled(talk: Conversation) -> None:
    now = datetime(2026, 1, 2, 3, 4)
    for question in ("{time}", None):
        assert talk.filled([question], ("At {time} {sum}.",), now) == ("At 03:04 {sum}.",)


def test_rows_without_a_session_are_fed_that_of_a_new_one(tmp_path: Path, talk: Conversation) -> None:
    found = described(tmp_path / "again", MANIFEST)
    binding = Binding(found.contract, found.signatures["predict"], Limits(), talk)
    ((count, feeds),) = binding.pack([["one"], ["two"]], of_batch=True)
    assert (count, feeds["question"].tolist(), feeds["log"].shape) == (2, [b"one", b"two"], (2,))


BAD: list[tuple[str, Any, str]] = [
    ("session", {}, "session: give `state` or `turns`"),
    ("session", {"functions": ["time"]}, "session: give `state` or `turns`"),
    ("session.functions", ["eval"], "session.functions.0: Input should be 'time', 'date' or 'sum'"),
    ("session.turns.last", 0, "session.turns.last: Input should be greater than or equal to 1"),
    ("session.turns.last", 4, "session.turns.input: turns is string [3, 2] without its batch dimension; expected"),
    ("session.turns.input", "log", "session: log is fed by `state` and by `turns`"),
    ("session.turns.input", "none", "session: the signature has no input none; its inputs are question, hidden, log"),
    ("session.state.hidden.output", "none", "session: the signature has no output none; its outputs are sentence"),
    ("session.state.hidden.output", "next_log", "session: state takes the output next_log twice"),
    (
        "signatures.predict.inputs.question.dtype",
        "int64",
        "session: turns and functions need a text among the contract",
    ),
    ("session.state.hidden.initial", "zero", "session.state.hidden.initial: expected float32, received 'zero'"),
    ("session.state.hidden.initial", [1, 2, 3], "session.state.hidden.initial: has shape [3], but hidden [2]"),
    ("session.state.log.initial", 1.5, "session.state.log.initial: expected string, received 1.5"),
    ("session.state.question", {"output": "sentence", "initial": ""}, "session: takes all inputs of the signature"),
    ("signatures.predict.outputs.next_hidden.dtype", "float64", "session.state.hidden.output: next_hidden is float64"),
    ("signatures.predict.outputs.next_hidden.shape", ["batch", 3], "next_hidden is float32 [batch, 3], but hidden is"),
    ("contract.inputs.question.element", "sessionId", "session: sessionId is the session's own element"),
    ("contract.inputs.hidden.element", "hidden", "contract.inputs.hidden: belongs to the session"),
]


@pytest.mark.parametrize(("path", "value", "reason"), BAD, ids=[f"{path}-{value}"[:60] for path, value, _ in BAD])
def test_manifest_that_makes_no_sense_is_refused(tmp_path: Path, path: str, value: Any, reason: str) -> None:
    with pytest.raises(LoadError) as raised:
        described(tmp_path, changed(MANIFEST, path, value))
    assert reason in str(raised.value)
