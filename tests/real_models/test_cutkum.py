"""cutkum, a frozen graph of TF1 that takes a recurrent state: words of a Thai text.

The original is the package's own class; `tensorflow` is tf.compat.v1 to it, and tf.contrib, which only training
uses, is empty.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.real_models.conftest import Array, Predict
from tests.real_models.recipes import THAI


@pytest.fixture(scope="module")
def cutkum_class(packages: None) -> Any:
    empty = ("tensorflow.contrib", "tensorflow.contrib.layers", "tensorflow.contrib.rnn", "pkg_resources")
    replaced = {name: ModuleType(name) for name in ("tensorflow", *empty)}
    vars(replaced["tensorflow"])["__getattr__"] = lambda name: getattr(tf.compat.v1, name)
    with pytest.MonkeyPatch.context() as patch:
        for name, module in replaced.items():
            patch.setitem(sys.modules, name, module)
        from cutkum.tokenizer import Cutkum
    return Cutkum


@pytest.fixture
def cutkum(cutkum_class: Any, sources: Any) -> Any:
    return cutkum_class(str(sources["cutkum"].source))


def served(predict: Predict) -> Callable[[Array], Array]:
    def process(rows: Array) -> Array:
        answered = predict(
            "cutkum",
            inputs=rows.astype(np.float32),
            seq_lengths=np.array([len(rows)], np.int32),
            fw_state=np.zeros((1, 1, 896), np.float32),
        )
        return np.squeeze(answered["probs"])

    return process


@pytest.mark.parametrize("text", [THAI, "ก", "สวัสดีครับ ผมชื่อสมชาย 25 ปี"])
def test_words_and_probabilities_are_the_packages_own(cutkum: Any, predict: Predict, text: str) -> None:
    process = served(predict)
    largest = 0.0

    def compared(rows: Array) -> Array:
        nonlocal largest
        answered = process(rows)
        largest = np.abs(answered - own_process(rows)).max()
        return answered

    own_process, own = cutkum._process_sentence, cutkum.tokenize(text)
    cutkum._process_sentence = compared

    assert cutkum.tokenize(text) == own
    assert 0 <= largest < 1e-5


def test_words_are_those_its_readme_shows(cutkum: Any, predict: Predict) -> None:
    cutkum._process_sentence = served(predict)
    assert cutkum.tokenize(THAI) == ["สารานุกรม", "ไทย", "สำหรับ", "เยาวชน", "ฯ"]
