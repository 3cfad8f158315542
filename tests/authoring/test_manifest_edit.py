"""A key is set in a model.yaml without another character of it changed."""

import pytest

from soapsvc.authoring.manifest_edit import with_key
from soapsvc.authoring.source import SourceError

TEXT = """\
# written by hand
format: 1   # the only one
threads:    # of TensorFlow
  intra_op: 4   # cores
  # and these
  inter_op: 2

# golden calls
warmup: {}
"""
WANTED = {"intra_op": 1, "inter_op": -1}


def test_key_that_is_new_goes_to_the_end() -> None:
    assert with_key(TEXT, "runner", {"kind": "onnx", "file": "m.onnx"}) == TEXT + "runner: {kind: onnx, file: m.onnx}\n"


def test_key_that_is_there_is_replaced_in_its_place_and_comments_around_it_stay() -> None:
    assert with_key(TEXT, "threads", WANTED) == (
        "# written by hand\nformat: 1   # the only one\nthreads: {intra_op: 1, inter_op: -1}\n\n"
        "# golden calls\nwarmup: {}\n"
    )


def test_file_without_a_line_end_gets_one_before_the_key() -> None:
    assert with_key("format: 1", "warmup", {}) == "format: 1\nwarmup: {}\n"


def test_value_in_braces_is_replaced_in_place() -> None:
    assert with_key("a: {b: 1}  # kept\nc: 2\n", "a", {"b": 3}) == "a: {b: 3}  # kept\nc: 2\n"


@pytest.mark.parametrize("text", ["{format: 1, name: iris}\n", "format: 1\n...\n"])
def test_file_that_leaves_no_place_is_told_with_the_line_to_write(text: str) -> None:
    with pytest.raises(SourceError, match=r"write this line into it: threads: \{intra_op: 1, inter_op: -1\}"):
        with_key(text, "threads", WANTED)
