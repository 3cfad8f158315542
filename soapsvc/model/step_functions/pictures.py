"""Functions on pictures: arrays of height, width and channels. Boxes are as in `boxes`."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from soapsvc.model.dtypes import Array
from soapsvc.model.images import picture_array
from soapsvc.model.step_functions import function

Method = Literal["area", "bilinear", "nearest"]
Side = Annotated[int, Field(ge=1, le=16_384)]
PICTURE = "number[h, w, c]"
_AT_ONCE = 2**20  # values of a large picture
_RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "nearest": Image.Resampling.NEAREST}


@function({"content": "string[]"}, {"picture": "uint8[any, any, channels]"})
def decode_image(content: Array, *, channels: Literal[1, 3] = 3, max_pixels: int = 50_000_000) -> Array:
    """Return the first picture in a PNG or JPEG file; see `soapsvc.model.images`. Raises InvalidInput."""
    return picture_array(content.item(), "image", max_pixels, channels)


@function({"picture": PICTURE}, {"picture": "float32[height, width, c]"})
def resize(picture: Array, *, height: Side, width: Side, method: Method = "bilinear") -> Array:
    """Return the picture in another size. area: each pixel the mean of those it covers."""
    return _resized(picture, height, width, method)


@function({"picture": PICTURE}, {"picture": "float32[any, any, c]", "factor": "float64[]"})
def fit(
    picture: Array, *, longest: Side, method: Literal["area", "bilinear", "nearest"] = "area"
) -> tuple[Array, Array]:
    """Return the picture with its longer side `longest`, and how many times as large that is."""
    factor = longest / max(picture.shape[:2])
    height, width = (max(1, round(side * factor)) for side in picture.shape[:2])
    return _resized(picture, height, width, method), np.asarray(factor, np.float64)


@function({"picture": PICTURE}, {"picture": "float32[height, any, c]"})
def fit_height(
    picture: Array, *, height: Side, least_width: Side = 1, most_width: Side = 4096, multiple_of: Side = 1
) -> Array:
    """Return the picture in this height, its width in proportion, within bounds and a multiple of a number."""
    wanted = min(max(picture.shape[1] * height / picture.shape[0], least_width), most_width)
    width = max(1, round(wanted / multiple_of)) * multiple_of
    return _resized(picture, height, width, "bilinear")


@function({"picture": PICTURE, "boxes": "float32[n, 4]"}, {"crops": "list of number[any, any, c]"})
def crop(picture: Array, boxes: Array) -> list[Array]:
    """Return what stands in each box; what lies outside of the picture is zero. A crop has at least one pixel."""
    found = []
    for x, y, width, height in boxes:
        left, top = int(np.floor(x)), int(np.floor(y))
        right, bottom = max(left + 1, int(np.ceil(x + width))), max(top + 1, int(np.ceil(y + height)))
        cut = np.zeros((bottom - top, right - left, picture.shape[2]), picture.dtype)
        inside = picture[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        down, across = max(-top, 0), max(-left, 0)
        cut[down : down + inside.shape[0], across : across + inside.shape[1]] = inside
        found.append(cut)
    return found


@function({"picture": PICTURE, "boxes": "float32[n, 4]"}, {"crops": "float32[n, height, width, c]"})
def crop_resized(picture: Array, boxes: Array, *, height: Side, width: Side) -> Array:
    """Return what stands in each box in one size, bilinear between pixels; zero outside of the picture.

    The corners of the crop are the pixels at the box's corners, as in tf.image.crop_and_resize.
    """
    high, wide, channels = picture.shape
    crops = np.empty((len(boxes), height, width, channels), np.float32)
    for crop_, (x, y, across, down) in zip(crops, boxes.astype(np.float64), strict=True):
        rows = np.linspace(y, y + down, height) * (high - 1) / high
        columns = np.linspace(x, x + across, width) * (wide - 1) / wide
        crop_[:] = _sampled(picture, rows, columns)
    return crops


def _sampled(picture: Array, rows: Array, columns: Array) -> Array:
    high, wide = picture.shape[:2]
    top, left = np.clip(np.floor(rows), 0, high - 1).astype(int), np.clip(np.floor(columns), 0, wide - 1).astype(int)
    bottom, right = np.clip(np.ceil(rows), 0, high - 1).astype(int), np.clip(np.ceil(columns), 0, wide - 1).astype(int)
    down, across = (rows - top)[:, None, None], (columns - left)[None, :, None]
    upper = picture[np.ix_(top, left)] * (1 - across) + picture[np.ix_(top, right)] * across
    lower = picture[np.ix_(bottom, left)] * (1 - across) + picture[np.ix_(bottom, right)] * across
    outside = ((rows < 0) | (rows > high - 1))[:, None] | ((columns < 0) | (columns > wide - 1))[None, :]
    sampled: Array = np.where(outside[..., None], 0, upper * (1 - down) + lower * down)
    return sampled


@function({"picture": PICTURE}, {"picture": "float32[any, any, c]"})
def stretch_contrast(picture: Array, *, least: float = 1.0) -> Array:
    """Return the picture with its darkest value as 0 and its lightest as 1; `least` is the smallest spread."""
    if not picture.size:
        return picture.astype(np.float32)
    low, high = float(picture.min()), float(picture.max())
    return ((picture - np.float32(low)) / max(high - low, least)).astype(np.float32)


def _resized(picture: Array, height: int, width: int, method: str) -> Array:
    if 0 in picture.shape:
        return np.zeros((height, width, picture.shape[2]), np.float32)
    if method == "area":
        parts = np.array_split(picture, 1 + picture.size // _AT_ONCE, axis=1)  # float64 takes much memory
        lower = np.concatenate([area_resized(part, height, 0) for part in parts if part.size], axis=1)
        return area_resized(lower, width, 1).astype(np.float32)
    how, floats = _RESAMPLING[method], np.ascontiguousarray(np.moveaxis(picture, -1, 0), np.float32)
    planes = [Image.fromarray(plane).resize((width, height), how) for plane in floats]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


def area_resized(picture: Array, size: int, axis: int) -> Array:
    """Return float64 means along one axis, pixels that are covered in part counted in part, as TensorFlow's area."""
    old = picture.shape[axis]
    if old == size:
        return picture.astype(np.float64)
    edges = np.arange(size + 1) * (old / size)
    whole = np.minimum(edges.astype(int), old)
    before = np.zeros_like(picture.take([0], axis=axis), np.float64)
    sums = np.concatenate([before, np.cumsum(picture, axis=axis, dtype=np.float64)], axis=axis)
    parts = np.expand_dims(edges - whole, tuple(each for each in range(picture.ndim) if each != axis))
    at = sums.take(whole, axis=axis) + picture.take(np.minimum(whole, old - 1), axis=axis) * parts
    means: Array = np.diff(at, axis=axis) / (old / size)
    return means
