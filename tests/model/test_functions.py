"""The functions that fill slots of sentences."""

from __future__ import annotations

from datetime import datetime

import pytest

from soapsvc.model.functions import fill

NOW = datetime(2026, 1, 2, 3, 4, 5)
UNKNOWN = "something that I can't work out"


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("3 plus 4", "7"),
        ("What is 12*12?", "144"),
        ("how much is 10 divided by 4", "2.5"),
        ("1/3", "0.3333333333"),
        ("0.1 + 0.2", "0.3"),
        ("5 - 8", "-3"),
        ("5-8", "-3"),
        ("-5 times -8", "40"),
        ("2 x 3", "6"),
        ("2 \u00d7 3", "6"),
        ("6 \u00f7 4", "1.5"),
        ("add 3 and 4", "7"),
        ("100 Multiplied  By 3", "300"),
        ("999999999999999 * 999999999999999", "999999999999998000000000000001"),
        ("1 / 0", UNKNOWN),
        ("0 / 0", UNKNOWN),
        ("three plus 4", UNKNOWN),
        ("1234567890123456 + 1", UNKNOWN),
        ("", UNKNOWN),
        ("9" * 100_000, UNKNOWN),
        ("1 " * 100_000, UNKNOWN),
    ],
    ids=lambda text: text[:30],
)
def test_sum_is_that_of_the_first_two_numbers(question: str, value: str) -> None:
    assert fill("{sum}", question, ["sum"], NOW) == value


def test_slots_are_filled_by_the_functions_that_are_named() -> None:
    sentence = "{time} {date} {sum} {other} {"
    assert fill(sentence, "1+1", ["time"], NOW) == "03:04 {date} {sum} {other} {"
    assert fill(sentence, "1+1", ["sum", "date", "time"], NOW) == "03:04 2 January 2026 2 {other} {"
    assert fill(sentence, "1+1", [], NOW) == sentence
