"""Pictures that clients send are taken for what they are, whatever their header says."""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from soapsvc.errors import InvalidInput
from soapsvc.model.contract_keys import Preprocess
from soapsvc.model.images import check_image, image_array

PIXELS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [10, 20, 30]]], np.uint8)
RGB = Image.fromarray(PIXELS)
NEAREST = Preprocess(resize="nearest")


def encoded(image: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    content = BytesIO()
    image.save(content, kind, **how)
    return content.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """Return a PNG of any claim: colour 0 is grey, 2 is RGB."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def decoded(content: bytes, channels: int = 3, how: Preprocess = NEAREST, size: tuple[int, int] = (2, 2)) -> Any:
    array = image_array(content, "picture", 10_000, (*size, channels), how)
    assert array.shape == (*size, channels)
    assert array.dtype == np.float64
    return array


def refusal(content: bytes, max_pixels: int = 10_000) -> tuple[str, str, str, str]:
    with pytest.raises(InvalidInput) as caught:
        image_array(content, "picture", max_pixels, (2, 2, 3), NEAREST)
    err = caught.value
    return err.code, err.field, err.expected, err.received


@pytest.mark.parametrize(
    "content",
    [
        encoded(RGB),
        encoded(RGB.quantize(4)),
        encoded(RGB.quantize(4), transparency=0),
        encoded(RGB.quantize(4), transparency=bytes([0, 100, 200, 255])),
        encoded(Image.fromarray(np.dstack([PIXELS, [[0, 100], [200, 255]]]).astype(np.uint8))),
        png(2, 2, 16, 2, b"".join(b"\0" + b"".join(bytes([v, 255 - v]) for v in row.ravel()) for row in PIXELS)),
    ],
    ids=["rgb", "palette", "palette-one-transparent", "palette-alpha", "rgba", "16-bit"],
)
def test_image_in_colour_gives_its_own_pixels(content: bytes) -> None:
    assert decoded(content).tolist() == PIXELS.tolist()


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_image_in_grey_fills_the_channels_wanted(mode: str) -> None:
    grey = [[76, 150], [29, 18]]  # ITU-R 601-2
    content = encoded(RGB.convert(mode))
    assert decoded(content, 1)[..., 0].tolist() == grey
    assert all(decoded(content)[..., channel].tolist() == grey for channel in range(3))


def test_image_in_colour_becomes_grey_where_one_channel_is_wanted() -> None:
    assert decoded(encoded(RGB), 1)[..., 0].tolist() == [[76, 150], [29, 18]]


def test_image_of_one_bit_is_black_and_white() -> None:
    content = encoded(Image.fromarray(np.array([[True, False], [False, True]])))
    assert decoded(content, 1)[..., 0].tolist() == [[255, 0], [0, 255]]


@pytest.mark.parametrize("channels", [1, 3])
def test_image_in_16_bit_grey_loses_its_lower_byte(channels: int) -> None:
    content = encoded(Image.fromarray(np.array([[0, 255], [256 * 100 + 7, 65535]], np.uint16)))
    array = decoded(content, channels)
    assert [array[..., channel].tolist() for channel in range(channels)] == [[[0, 0], [100, 255]]] * channels


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_image_as_jpeg_keeps_its_colour(mode: str) -> None:
    content = encoded(Image.new("RGB", (8, 8), (200, 50, 100)).convert(mode), "JPEG", quality=100)
    assert np.abs(decoded(content) - (200, 50, 100)).max() <= 2


def test_image_as_grey_jpeg_is_read() -> None:
    content = encoded(Image.new("L", (8, 8), 90), "JPEG", quality=100)
    assert np.abs(decoded(content, 1) - 90).max() <= 1


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [((0, 255), [0, 51, 255]), ((0, 1), [0, 0.2, 1]), ((-1, 1), [-1, -0.6, 1]), ((1, 0), [1, 0.8, 0])],
)
def test_image_is_scaled_into_the_range(bounds: tuple[float, float], expected: list[float]) -> None:
    content = encoded(Image.fromarray(np.array([[0, 51, 255]], np.uint8)))
    array = decoded(content, 1, Preprocess(resize="nearest", range=bounds), (1, 3))
    assert array.ravel() == pytest.approx(expected)


@pytest.mark.parametrize(("how", "expected"), [("nearest", 255), ("bilinear", 127.5), ("area", 127.5)])
def test_image_is_resized_as_the_manifest_says(how: Any, expected: float) -> None:
    content = encoded(Image.fromarray(np.array([[0, 255], [0, 255]], np.uint8)))
    array = decoded(content, 1, Preprocess(resize=how), (1, 1))
    assert array.item() == pytest.approx(expected, abs=1)


def test_image_is_resized_to_height_then_width() -> None:
    content = encoded(Image.fromarray(np.array([[10, 20, 30]], np.uint8)))
    assert decoded(content, 1, size=(2, 3))[..., 0].tolist() == [[10, 20, 30]] * 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"x" * 100,
        encoded(RGB, "GIF"),
        encoded(RGB, "BMP"),
        png(0, 5, 8, 2, b""),
    ],
    ids=["empty", "png-signature", "jpeg-signature", "junk", "gif", "bmp", "no-width"],
)
def test_bytes_that_are_no_png_or_jpeg_are_refused(content: bytes) -> None:
    expected = ("bad-image", "picture", "the bytes of a PNG or JPEG", f"{len(content)} bytes that are neither")
    assert refusal(content) == expected
    with pytest.raises(InvalidInput, match="the bytes of a PNG or JPEG"):
        check_image(content, "picture", 10_000)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_image_cut_short_is_refused(kind: str, part: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    assert refusal(content[: int(len(content) * part)])[2:] == ("a PNG or JPEG that can be decoded", "one that can't")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_image_broken_anywhere_is_decoded_or_refused(kind: str) -> None:
    random = np.random.default_rng(1)
    whole = np.frombuffer(encoded(Image.fromarray(random.integers(0, 255, (9, 9, 3)).astype(np.uint8)), kind), np.uint8)
    refused = 0
    for _ in range(300):
        broken = whole.copy()
        broken[random.integers(0, len(broken), 3)] = random.integers(0, 255, 3)
        try:
            decoded(broken.tobytes())
        except InvalidInput:
            refused += 1
    assert refused > 0  # every other exception fails the test


@pytest.mark.parametrize("side", [101, 12_000, 100_000])
def test_image_that_claims_too_many_pixels_is_refused_before_it_is_decoded(side: int) -> None:
    expected = ("too-large", "picture", "an image of at most 10000 pixels", f"{side} x {side}")
    assert refusal(png(side, side, 8, 2, b"")) == expected
    with pytest.raises(InvalidInput, match="10000 pixels"):
        check_image(png(side, side, 8, 2, b""), "picture", 10_000)


def test_image_beyond_pillows_own_limit_is_left_to_the_manifest() -> None:
    check_image(png(14_000, 14_000, 8, 2, b""), "picture", 14_000**2)


def test_image_of_just_the_pixels_allowed_passes() -> None:
    check_image(encoded(RGB), "picture", 4)
    with pytest.raises(InvalidInput, match="at most 3 pixels"):
        check_image(encoded(RGB), "picture", 3)
