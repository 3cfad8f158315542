"""Any row that the signature of `kinds` allows comes back as it went, by the writers and readers of both ends."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from lxml import etree
from PIL import Image

from soapsvc.model.dtypes import Array
from soapsvc.soap.ns import SoapVersion
from soapsvc.soap.tensors import tensor_record, tensor_value
from tests.kinds import GOLDEN
from tests.properties.values import xml_text
from tests.properties.web import Web

MAX_BATCH = 8
NAMES = (
    "flag", "count", "total", "level", "ratio", "offset", "note", "left", "right", "series", "codes", "words", "grid",
    "picture",
)  # fmt: skip
FLOAT32 = st.floats(width=32)
PIXELS = npst.arrays(np.uint8, (2, 2, 3))
ROWS = st.fixed_dictionaries(
    {
        "flag": st.booleans(), "count": st.integers(-(2**31), 2**31 - 1), "total": st.integers(-(2**63), 2**63 - 1),
        "level": st.integers(0, 255), "ratio": st.floats(), "offset": st.none() | FLOAT32, "note": xml_text(),
        "left": st.floats(), "right": st.floats(), "series": npst.arrays(np.float32, st.integers(0, 5)),
        "codes": npst.arrays(np.int64, st.integers(0, 8)), "words": st.lists(xml_text(), max_size=8),
        "grid": npst.arrays(np.float32, (2, 3)), "as_content": st.booleans(), "picture": PIXELS,
    }
)  # fmt: skip
Row = dict[str, Any]


def sent(row: Row) -> list[Any]:
    """Return a row as the writer of a request takes it."""
    picture = BytesIO()
    Image.fromarray(row["picture"]).save(picture, "PNG")
    values = row | {"grid": tensor_record(row["grid"], row["as_content"]), "picture": picture.getvalue()}
    return [values[name] for name in NAMES]


def ask(web: Web, operation: str, values: list[Any], soap: SoapVersion) -> Any:
    endpoint = web.contracts.find(soap, "kinds", 1)
    assert endpoint is not None
    reply = web.post(endpoint.names.path(soap), endpoint.request(operation, values), soap.content_type)
    assert reply.status == 200, reply.body
    return endpoint.result(operation, etree.fromstring(reply.body)[-1][0])


def same(one: Any, other: Any, dtype: str) -> bool:
    """Whether two values are the same in every bit, taking all NaN for one."""
    arrays = [np.asarray(value, dtype) for value in (one, other)]
    signs = [np.signbit(array) & ~np.isnan(array) for array in arrays]
    return np.array_equal(*arrays, equal_nan=True) and np.array_equal(*signs)


def check(row: Row, answer: tuple[Any, ...]) -> None:
    """Fail unless the answer holds what the row held."""
    flag, count, total, level, ratio, shifted, note, scores, series, codes, words, grid, pixels, version = answer
    assert (flag, count, total, level) == (row["flag"], row["count"], row["total"], row["level"])
    assert (note, list(words), list(codes), version) == (row["note"], row["words"], row["codes"].tolist(), 1)
    assert same(ratio, row["ratio"], "float64")
    with np.errstate(over="ignore"):
        assert same(shifted, np.float32(row["offset"] or 0) * np.float32(2) + np.float32(0), "float32")
    assert same(series, row["series"], "float32")
    found: dict[str, Any] = dict(scores)
    assert same([found["left"], found["right"]], [row["left"], row["right"]], "float64")
    arrays: list[Array] = [tensor_value(record, "").array for record in (grid, pixels)]
    assert same(arrays[0], row["grid"], "float32")
    assert np.array_equal(arrays[1], row["picture"])


@pytest.mark.parametrize("soap", list(SoapVersion))
def test_row_comes_back(web: Web, soap: SoapVersion) -> None:
    @given(ROWS)
    def each(row: Row) -> None:
        check(row, ask(web, "predict", sent(row), soap))

    each()


@given(st.lists(ROWS, min_size=1, max_size=MAX_BATCH), st.sampled_from(SoapVersion))
def test_rows_of_a_batch_come_back_each_in_its_place(web: Web, rows: list[Row], soap: SoapVersion) -> None:
    answers = ask(web, "predictBatch", [[sent(row) for row in rows]], soap)
    assert len(answers) == len(rows)
    for row, answer in zip(rows, answers, strict=True):
        check(row, answer)


@given(st.lists(xml_text(), max_size=8), xml_text())
@example(["\r\n", " \t", "]]>", "&amp;", "\u0085\u2028", "\U0001f600"], "\ufffd\x7f")
def test_text_comes_back(web: Web, words: list[str], note: str) -> None:
    golden: Row = {name: value[0] for name, value in GOLDEN.items()}
    arrays = {"series": np.float32, "codes": np.int64, "grid": np.float32, "picture": np.uint8}
    row = golden | {name: np.array(golden[name], dtype) for name, dtype in arrays.items()}
    row |= {"left": 0.5, "right": 0.5, "words": words, "note": note, "as_content": False}
    check(row, ask(web, "predict", sent(row), SoapVersion.SOAP11))
