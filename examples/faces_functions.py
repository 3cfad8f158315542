"""What stands between the nets of mtcnn, as its package has it.

After mtcnn 1.0.0: MIT licence, Copyright (c) 2019-2024 Iván de Paz Centeno; it stands beside the nets. This file stands
as functions.py in the folder of the pipeline `faces`. Boxes are float64 rows of x1, y1, x2, y2 and score.
"""

import numpy as np

from soapsvc.model.step_functions import function
from soapsvc.model.step_functions.pictures import area_resized

CELL, STRIDE, SMALLEST_FACE, SCALE = 12, 2, 20, 0.709
FOUND = "float64[n, 5]"


@function({"picture": "float64[h, w, 3]"}, {"levels": "list of float32[any, any, 3]", "scales": "float64[any]"})
def pyramid(picture):
    """Return the picture in ever smaller sizes, until a face that fills it is as small as a cell."""
    smallest = min(picture.shape[:2])
    count = max(0, round(-(np.log(smallest / CELL) / np.log(SCALE) + 1)))
    scales = CELL / SMALLEST_FACE * SCALE ** np.arange(count)
    levels = []
    for scale in scales:
        height, width = (int(side * scale) for side in picture.shape[:2])
        levels.append(area_resized(area_resized(picture, height, 0), width, 1).astype(np.float32))
    return levels, scales


@function({"picture": "uint8[h, w, 3]"}, {"normal": "float64[h, w, 3]"})
def normal(picture):
    """Return pixels as the nets take them."""
    return (picture - 127.5) / 128


@function(
    {"offsets": "list of float32[any, any, 4]", "scores": "list of float32[any, any, 2]", "scales": "float64[s]"},
    {"found": "float64[any, 5]", "boxes": "float32[any, 4]"},
)
def propose(offsets, scores, scales, *, above: float = 0.6):
    """Return squares where the first net sees a face."""
    levels = [
        _kept(_proposals(*level, above), 0.5) for level in zip(offsets.arrays, scores.arrays, scales, strict=True)
    ]
    found = _kept(_best_first(np.concatenate([np.zeros((0, 5)), *levels])), 0.7)
    return _square(found), _boxes_of(_square(found))


@function(
    {"found": FOUND, "offsets": "float32[n, 4]", "scores": "float32[n, 2]"},
    {"found": "float64[any, 5]", "boxes": "float32[any, 4]"},
)
def refine(found, offsets, scores, *, above: float = 0.7):
    """Return the squares that the second net takes for faces, moved as it says."""
    moved = _adjusted(found, offsets, scores)
    faces = _square(_kept(_best_first(moved[moved[:, 4] > above]), 0.7))
    return faces, _boxes_of(faces)


@function(
    {"found": FOUND, "offsets": "float32[n, 4]", "landmarks": "float32[n, 10]", "scores": "float32[n, 2]",
     "picture": "uint8[h, w, 3]"},
    {"boxes": "int32[any, 4]", "points": "int32[any, 10]", "scores": "float32[any]"},
)  # fmt: skip
def judge(found, offsets, landmarks, scores, picture, *, above: float = 0.8):
    """Return the faces: box as x, y, width and height, five points as x and y each, and score."""
    width, height = (found[:, 2:3] - found[:, 0:1] + 1), (found[:, 3:4] - found[:, 1:2] + 1)
    x = (width * landmarks[:, :5]).astype(np.float64) + found[:, 0:1] - 1
    y = (height * landmarks[:, 5:]).astype(np.float64) + found[:, 1:2] - 1
    faces = np.concatenate([_adjusted(found, offsets, scores), x, y], axis=1)
    faces = _kept(_best_first(faces[faces[:, 4] > above]), 0.7, smaller=True)
    faces[:, [0, 2]] = faces[:, [0, 2]].clip(0, picture.shape[1] - 1)
    faces[:, [1, 3]] = faces[:, [1, 3]].clip(0, picture.shape[0] - 1)
    boxes = np.concatenate([faces[:, :2], faces[:, 2:4] - faces[:, :2]], axis=1).round().astype(np.int32)
    points = np.stack([faces[:, 5:10], faces[:, 10:15]], axis=2).reshape(-1, 10).round().astype(np.int32)
    return boxes, points, faces[:, 4].astype(np.float32)


@function({"boxes": "int32[n, 4]"}, {"around": "float32[n, 4]"})
def around(boxes, *, pixels: float = 10.0):
    """Return the squares around faces in which fer looks for an emotion."""
    middle, side = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:].max(axis=1, initial=0)[:, None] + 2 * pixels
    return np.concatenate([middle - side / 2, side, side], axis=1).astype(np.float32)


def _proposals(offsets, scores, scale, above):
    rows, columns = np.where(scores[..., 1] > above)
    corner = np.stack([columns, rows, columns, rows], axis=1) * STRIDE
    size = CELL - 1
    moved = corner + np.array([1, 1, CELL, CELL]) + offsets[rows, columns] * size
    return _best_first(np.concatenate([moved / scale, scores[rows, columns, 1:]], axis=1))


def _best_first(found):
    return found[np.argsort(found[:, 4])[::-1]]


def _kept(found, overlap, smaller=False):
    """Return the boxes that no better one covers, be that one kept or not."""
    if not len(found):
        return found
    x1, y1, x2, y2 = found[:, :4].T
    areas = (x2 - x1) * (y2 - y1)
    wide = np.minimum(x2[:, None], x2) - np.maximum(x1[:, None], x1)
    high = np.minimum(y2[:, None], y2) - np.maximum(y1[:, None], y1)
    shared = np.maximum(wide, 0) * np.maximum(high, 0)
    whole = np.minimum(areas[:, None], areas) if smaller else areas[:, None] + areas - shared
    return found[~np.triu(shared / whole > overlap, k=1).any(axis=0)]


def _adjusted(found, offsets, scores):
    sizes = np.tile(found[:, 2:4] - found[:, :2] + 1, 2)
    return np.concatenate([found[:, :4] + offsets * sizes, scores[:, -1:]], axis=1)


def _square(found):
    size = found[:, 2:4] - found[:, :2]
    longest = size.max(axis=1, initial=0)[:, None]
    corner = found[:, :2] + size / 2 - longest / 2
    return np.concatenate([corner, corner + longest, found[:, 4:]], axis=1)


def _boxes_of(found):
    return np.concatenate([found[:, :2], found[:, 2:4] - found[:, :2]], axis=1).astype(np.float32)
