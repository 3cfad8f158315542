"""Functions that fill slots of a model's sentences: `{time}` in what the graph answers becomes the time of day.

A manifest names those that its model may use. Each depends on the question and on the moment alone, keeps nothing and
reaches nothing: no file, no network, no other code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, DivisionByZero, InvalidOperation, localcontext
from typing import Literal

FunctionName = Literal["time", "date", "sum"]

_WORDS = {
    "plus": "+", "and": "+", "add": "+", "added to": "+", "minus": "-", "less": "-", "times": "*",
    "multiplied by": "*", "divided by": "/", "over": "/",
}  # fmt: skip
_SIGNS = {"x": "*", "\u00d7": "*", "\u00f7": "/", "\u2212": "-"}  # as calculators print them
_NUMBER = r"\d{1,15}(?:\.\d{1,15})?"
_OPERATOR = "|".join(
    [r"[-+*/x\u00d7\u00f7\u2212]", *(word.replace(" ", r"\s+") for word in sorted(_WORDS, key=len, reverse=True))]
)
_SUM = re.compile(rf"(?<![\w.])(-?{_NUMBER})\s*({_OPERATOR})\s*(-?{_NUMBER})(?![\w.]*\d)", re.IGNORECASE)
_APPLY: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
}
_UNKNOWN_SUM = "something that I can't work out"
_PLACES = 10


def _time(question: str, now: datetime) -> str:
    return f"{now:%H:%M}"


def _date(question: str, now: datetime) -> str:
    return f"{now.day} {now:%B %Y}"


def _sum(question: str, now: datetime) -> str:
    """Return the value of the first sum of two numbers in a question, rounded to ten decimal places."""
    found = _SUM.search(question)
    if found is None:
        return _UNKNOWN_SUM
    word = " ".join(found[2].lower().split())
    with localcontext() as context:
        context.prec = 40
        try:
            value = _APPLY[_WORDS.get(word) or _SIGNS.get(word, word)](Decimal(found[1]), Decimal(found[3]))
        except (DivisionByZero, InvalidOperation):
            return _UNKNOWN_SUM
        text = f"{round(value, _PLACES):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


FUNCTIONS: Mapping[FunctionName, Callable[[str, datetime], str]] = {"time": _time, "date": _date, "sum": _sum}


def fill(sentence: str, question: str, functions: Sequence[FunctionName], now: datetime) -> str:
    """Return a sentence with the results of functions in their slots; braces of any other kind stay as they are."""
    for name in functions:
        slot = f"{{{name}}}"
        if slot in sentence:
            sentence = sentence.replace(slot, FUNCTIONS[name](question, now))
    return sentence
