"""Pictures that clients send: checked for what they are and, when a graph wants numbers, decoded.

Reads PNG and JPEG only and trusts no size that a file's header claims.
"""

from __future__ import annotations

import logging
from io import BytesIO

import numpy as np
from PIL import Image

from soapsvc.errors import InvalidInput
from soapsvc.model.contract_keys import Preprocess
from soapsvc.model.dtypes import Array

FORMATS = ("PNG", "JPEG")
logging.getLogger("PIL").setLevel(logging.WARNING)  # its debug lines tell what stands in callers' pictures
Image.MAX_IMAGE_PIXELS = None  # each model's max_image_pixels decides instead
_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "area": Image.Resampling.BOX,
}


def check_image(content: bytes, field: str, max_pixels: int) -> None:
    """Raise InvalidInput unless content begins as a PNG or JPEG of at most max_pixels (width times height)."""
    _opened(content, field, max_pixels)


def image_array(content: bytes, field: str, max_pixels: int, shape: tuple[int, int, int], how: Preprocess) -> Array:
    """Return a PNG or JPEG as float64 of shape (height, width, 1 or 3), scaled as `how.range` says.

    Transparency is ignored: a pixel counts with its own colour. 16-bit images lose their lower byte.
    """
    height, width, channels = shape
    resized = _decoded(content, field, max_pixels, channels).resize((width, height), _RESAMPLING[how.resize])
    low, high = how.range
    pixels = np.asarray(resized, dtype=np.float64).reshape(shape)
    return low + pixels * ((high - low) / 255.0)


def picture_array(content: bytes, field: str, max_pixels: int, channels: int) -> Array:
    """Return a PNG or JPEG in its own size as uint8 of shape (height, width, 1 or 3); else as `image_array`."""
    image = _decoded(content, field, max_pixels, channels)
    return np.asarray(image).reshape(image.height, image.width, channels)


def _decoded(content: bytes, field: str, max_pixels: int, channels: int) -> Image.Image:
    try:
        with _opened(content, field, max_pixels) as image:
            return _plain(image).convert("L" if channels == 1 else "RGB")
    except (OSError, SyntaxError, ValueError) as err:  # Pillow's words for a picture that ends too early
        raise InvalidInput("bad-image", field, "a PNG or JPEG that can be decoded", "one that can't") from err


def _plain(image: Image.Image) -> Image.Image:
    """Return image in a form that Pillow converts without a warning and without clipping."""
    image.load()
    image.info.pop("transparency", None)
    if image.mode.startswith("I"):  # 16-bit grey, of which `convert` would make 255 wherever it is above 255
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image


def _opened(content: bytes, field: str, max_pixels: int) -> Image.Image:
    try:
        image = Image.open(BytesIO(content), formats=FORMATS)
    except (OSError, SyntaxError, ValueError) as err:
        raise InvalidInput(
            "bad-image", field, "the bytes of a PNG or JPEG", f"{len(content)} bytes that are neither"
        ) from err
    width, height = image.size
    if width * height > max_pixels:
        raise InvalidInput("too-large", field, f"an image of at most {max_pixels} pixels", f"{width} x {height}")
    return image
