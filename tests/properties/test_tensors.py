"""Any tensor of any dtype and shape comes back bit for bit, in each of the three ways it can travel."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from lxml import etree

from soapsvc.model.dtypes import FLOATS, NUMPY_DTYPE, Array, DTypeName
from soapsvc.soap.ns import SoapVersion
from tests.properties.echo import DTYPES
from tests.properties.values import xml_text
from tests.properties.web import Web
from tests.soap.conftest import envelope
from tests.soap.messages import INFERENCE, tensor
from tests.soap.packages import Part, content_type, include, opened, package, root

WAYS = ("elements", "base64", "attachment")
SHAPES = st.one_of(
    npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    st.lists(st.integers(0, 2), max_size=8).map(tuple),
)


def tensors(dtype: DTypeName, way: str) -> st.SearchStrategy[Array]:
    """Return any tensor of a dtype; strings that travel as elements are text, else any bytes."""
    if dtype == "string":
        items: Any = xml_text().map(str.encode) if way == "elements" else st.binary(max_size=20)
        return SHAPES.flatmap(lambda shape: st.lists(items, min_size=math.prod(shape), max_size=math.prod(shape)).map(
            lambda found: objects(found, shape)))  # fmt: skip
    if dtype in FLOATS:
        bits = np.uint32 if dtype == "float32" else np.uint64
        patterns = npst.arrays(bits, SHAPES).map(lambda array: array.view(NUMPY_DTYPE[dtype]))
        return st.one_of(npst.arrays(NUMPY_DTYPE[dtype], SHAPES), patterns)
    return npst.arrays(NUMPY_DTYPE[dtype], SHAPES)


def objects(values: Sequence[bytes], shape: Sequence[int]) -> Array:
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape)


def content_of(array: Array) -> bytes:
    if array.dtype == object:
        return b"".join(len(each).to_bytes(4, "little") + each for each in array.ravel().tolist())
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


def spelled(value: Any) -> str:
    """Return a value as a client in Java or C# writes it, who holds a float32 as a double."""
    if isinstance(value, bytes):
        text = value.decode()
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    text = repr(value) if isinstance(value, float) else str(int(value))
    return {"nan": "NaN", "inf": "INF", "-inf": "-INF"}.get(text, text)


def carrier_of(array: Array) -> str:
    return "strings" if array.dtype == object else "doubles" if array.dtype.kind == "f" else "longs"


def request(array: Array, dtype: DTypeName, way: str, soap: SoapVersion) -> tuple[bytes, str]:
    """Return body and Content-Type of a call of `echo`."""
    if way == "elements":
        items = "".join(f"<item>{spelled(value)}</item>" for value in array.ravel().tolist())
        carrier = f"<{carrier_of(array)}>{items}</{carrier_of(array)}>"
    else:
        inner = include("x") if way == "attachment" else base64.b64encode(content_of(array)).decode()
        carrier = f"<content>{inner}</content>"
    given = tensor(dtype, " ".join(map(str, array.shape)), carrier)
    signature = "predict" if dtype == "float32" else dtype
    body = (
        f'<predict xmlns="{INFERENCE}"><modelName>echo</modelName><signature>{signature}</signature>'
        f"<inputs><item><name>x</name><tensor>{given}</tensor></item></inputs></predict>"
    )
    message = envelope(body, soap)
    if way == "attachment":
        return package([root(message, soap), Part("x", content_of(array))]), content_type(soap)
    return message, soap.content_type


def answered(web: Web, array: Array, dtype: DTypeName, way: str, soap: SoapVersion) -> Array:
    """Return the tensor that `echo` answers with."""
    path = f"/{'soap' if soap is SoapVersion.SOAP11 else 'soap12'}/inference/v1"
    reply = web.post(path, *request(array, dtype, way, soap))
    assert reply.status == 200, reply.body
    parts = opened(reply.content_type, reply.body) if reply.content_type.startswith("multipart") else {"": reply.body}
    assert (len(parts) == 2) == (way == "attachment")
    (node,) = etree.fromstring(parts[""]).iter(f"{{{INFERENCE}}}tensor")
    name, shape, carrier = node
    assert name.text == dtype
    sizes = [int(item.text or "") for item in shape]
    if way == "elements":
        assert etree.QName(carrier).localname == carrier_of(array)
        texts = [item.text or "" for item in carrier]
        if dtype == "string":
            return objects([text.encode() for text in texts], sizes)
        values: Any = [float(text) for text in texts] if dtype in FLOATS else [int(text) for text in texts]
        return np.array(values, np.float64 if dtype in FLOATS else np.int64).astype(NUMPY_DTYPE[dtype]).reshape(sizes)
    content = base64.b64decode(carrier.text or "") if way == "base64" else parts[carrier[0].attrib["href"][4:]]
    if dtype == "string":
        return objects(split(content), sizes)
    return np.frombuffer(content, NUMPY_DTYPE[dtype].newbyteorder("<")).reshape(sizes)


def split(content: bytes) -> list[bytes]:
    found = []
    while content:
        end = 4 + int.from_bytes(content[:4], "little")
        found.append(content[4:end])
        content = content[end:]
    return found


def canonical(array: Array, way: str) -> bytes:
    """Return what must come back: every bit, but XML has only one NaN."""
    if way == "elements" and array.dtype.kind == "f":
        array = np.where(np.isnan(array), array.dtype.type(np.nan), array)
    return content_of(array)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_tensor_comes_back_bit_for_bit(web: Web, dtype: DTypeName, way: str) -> None:
    @given(tensors(dtype, way), st.sampled_from(SoapVersion))
    def check(array: Array, soap: SoapVersion) -> None:
        back = answered(web, array, dtype, way, soap)
        assert back.shape == array.shape
        assert canonical(back, way) == canonical(array, way)

    check()


EXTREMES = [0.0, -0.0, np.nan, np.inf, -np.inf]
TWICE_ROUNDED = np.uint32(0x15AE43FD).view(
    np.float32
)  # the one float32 whose shortest digits, as a double, round to its neighbour


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", sorted(FLOATS))
def test_every_edge_of_the_floats_comes_back(web: Web, dtype: DTypeName, way: str) -> None:
    limits = np.finfo(NUMPY_DTYPE[dtype])
    edges = [limits.max, limits.tiny, limits.smallest_subnormal, limits.eps, np.nextafter(limits.tiny, 0)]
    edges += [TWICE_ROUNDED, 0.1, 1 / 3, 2.0**24 + 1, 1e22, 5e-324]
    array = np.array([*EXTREMES, *edges, *(-edge for edge in edges)], NUMPY_DTYPE[dtype])
    for soap in SoapVersion:
        assert canonical(answered(web, array, dtype, way, soap), way) == canonical(array, way)
