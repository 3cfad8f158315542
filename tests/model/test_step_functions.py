"""The library of functions that steps run: what each does with ordinary values, with none, and at the edges."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from soapsvc.errors import InvalidInput
from soapsvc.model.step_functions import find, function, library
from soapsvc.model.value_types import Items, ValueType, declared
from tests.conftest import ROOT


def run(name: str, *inputs: Any, **arguments: Any) -> Any:
    made = find(name)
    return made.run(*inputs, **made.check_arguments(arguments))


def items(*arrays: Any, shape: tuple[int | None, ...] = (None, 4)) -> Items:
    return Items(ValueType("float32", shape), [np.asarray(each, np.float32) for each in arrays])


def boxes(*rows: Any) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def file(image: Image.Image, kind: str = "PNG", **how: Any) -> np.ndarray:
    content = BytesIO()
    image.save(content, kind, **how)
    return np.asarray(content.getvalue(), object)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "content",
    [
        file(Image.new("CMYK", (5, 4), (0, 0, 0, 128)), "JPEG"),
        file(Image.fromarray(np.full((4, 5), 127 * 256 + 9, np.uint16))),
        file(Image.new("RGB", (5, 4), (127, 127, 127)), save_all=True, append_images=[Image.new("RGB", (5, 4))]),
        file(Image.new("RGBA", (5, 4), (127, 127, 127, 0))),
    ],
    ids=["CMYK", "16 bits", "animated", "transparent"],
)
def test_any_png_or_jpeg_is_decoded(content: Any, channels: int) -> None:
    picture = run("decode_image", content, channels=channels)
    assert (picture.shape, picture.dtype) == ((4, 5, channels), np.uint8)
    assert np.abs(picture.astype(int) - 127).max() <= 1


CUT = np.asarray(file(Image.effect_noise((64, 64), 50)).item()[:2000], object)


@pytest.mark.parametrize("content", [file(Image.new("L", (2, 2)), "GIF"), CUT], ids=["GIF", "cut"])
def test_other_files_are_invalid_input(content: Any) -> None:
    with pytest.raises(InvalidInput, match="PNG or JPEG"):
        run("decode_image", content)


def test_area_is_the_mean_of_what_a_pixel_covers() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(2, 6, 1)
    shrunk = run("resize", picture, height=1, width=4, method="area")
    np.testing.assert_allclose(shrunk[0, :, 0], np.array([10, 14, 19, 23]) / 3, rtol=1e-6)
    assert run("resize", picture, height=2, width=6, method="area")[..., 0].tolist() == picture[..., 0].tolist()


def test_fit_tells_how_many_times_as_large() -> None:
    picture, factor = run("fit", np.zeros((40, 80, 1), np.uint8), longest=20)
    assert (picture.shape, float(factor)) == ((10, 20, 1), 0.25)
    assert run("fit", np.zeros((1, 1, 1), np.uint8), longest=20)[0].shape == (20, 20, 1)
    line = run("fit_height", np.zeros((10, 33, 1), np.uint8), height=20, multiple_of=4)
    assert line.shape == (20, 64, 1)


def test_crop_fills_what_lies_outside() -> None:
    picture = np.arange(1, 7, dtype=np.uint8).reshape(2, 3, 1)
    first, second, third = run("crop", picture, boxes((1, 0, 2, 2), (-1, 1, 2, 2), (90, 90, 0, 0)))
    assert first[..., 0].tolist() == [[2, 3], [5, 6]]
    assert second[..., 0].tolist() == [[0, 4], [0, 0]]
    assert third[..., 0].tolist() == [[0]]


def test_crop_resized_gives_what_tensorflow_does() -> None:
    import tensorflow as tf

    random = np.random.default_rng(1)
    picture = random.uniform(0, 255, (17, 23, 3)).astype(np.float32)
    found = boxes((0, 0, 23, 17), (2.5, 3.25, 9, 4), (-4, -3, 12, 30), (22, 16, 1, 1))
    crops = run("crop_resized", picture, found, height=8, width=6)
    corners = np.stack([found[:, 1], found[:, 0], found[:, 1] + found[:, 3], found[:, 0] + found[:, 2]], 1)
    wanted = tf.image.crop_and_resize(picture[None], corners / [17, 23, 17, 23], [0] * 4, (8, 6))
    np.testing.assert_allclose(crops, wanted, atol=1e-3)
    assert run("crop_resized", picture, boxes(), height=8, width=6).shape == (0, 8, 6, 3)


def test_regions_are_cells_that_touch() -> None:
    scores = np.array([[0.9, 0, 0, 0.6], [0, 0.7, 0, 0], [0, 0, 0, 0.8]], np.float32)
    found, best = run("regions", scores)
    assert found.tolist() == [[0, 0, 2, 2], [3, 0, 1, 1], [3, 2, 1, 1]]
    np.testing.assert_allclose(best, [0.9, 0.6, 0.8])
    assert run("regions", scores, least_cells=2)[0].tolist() == [[0, 0, 2, 2]]
    none, scores = run("regions", np.zeros((3, 3), np.float32))
    assert (none.shape, scores.shape) == ((0, 4), (0,))


def test_non_maximum_suppression_keeps_the_best_of_what_overlaps() -> None:
    found = boxes((0, 0, 10, 10), (1, 0, 10, 10), (20, 0, 10, 10), (22, 2, 4, 4))
    scores = np.array([0.5, 0.9, 0.7, 0.6], np.float32)
    assert run("non_maximum_suppression", found, scores).tolist() == [1, 2, 3]
    assert run("non_maximum_suppression", found, scores, of="smaller").tolist() == [1, 2]
    assert run("non_maximum_suppression", boxes(), scores[:0]).tolist() == []


def test_boxes_move_between_pictures() -> None:
    found = boxes((2, 4, 6, 8))
    assert run("scale_boxes", found, np.asarray(0.5), times=2.0).tolist() == [[8, 16, 24, 32]]
    assert run("grow_boxes", found, by=0.5).tolist() == [[-2, 0, 14, 16]]
    assert run("square_boxes", found).tolist() == [[1, 4, 8, 8]]
    assert run("whole_boxes", boxes((1.5, 2, 0.2, 0))).tolist() == [[1, 2, 1, 1]]
    crops = items(np.zeros((10, 20, 1)), np.zeros((10, 10, 1)), shape=(None, None, 1))
    placed = run("place_boxes", items(found, boxes()), crops, boxes((100, 200, 40, 40), (0, 0, 1, 1)))
    assert placed.tolist() == [[104, 216, 12, 32]]
    assert run("place_boxes", items(), Items(crops.type, []), boxes()).shape == (0, 4)


def test_reading_goes_line_by_line() -> None:
    tilted = boxes((50, 24, 10, 20), (0, 0, 10, 20), (25, 12, 10, 20), (30, 60, 10, 20), (2, 58, 10, 20))
    assert run("reading_order", tilted).tolist() == [1, 2, 0, 4, 3]
    assert run("reading_order", boxes()).tolist() == []


def test_rows_are_chosen_ordered_and_cut() -> None:
    values = np.array([3, 1, 2, 1], np.int64)
    assert run("sort", values).tolist() == [1, 3, 2, 0]
    assert run("sort", values, descending=True).tolist() == [0, 2, 1, 3]
    assert run("threshold", values, above=1).tolist() == [0, 2]
    assert run("take", values, np.array([2, 0])).tolist() == [2, 3]
    assert run("window", values, size=2, step=2).tolist() == [[3, 1], [2, 1]]
    assert run("window", values, size=5).shape == (0, 5)
    places, scores = run("best", np.array([[0.25, 0.5], [1, 0]]))
    assert (places.tolist(), scores.tolist()) == ([1, 0], [0.5, 1.0])
    assert run("best", np.zeros((0, 3)))[0].shape == (0,)
    winner, share = run("majority_vote", values)
    assert (winner.item(), share.item()) == (1, 0.5)
    assert run("majority_vote", values[:0])[1].item() == 0
    names = run("name_places", np.array([1, 0]), labels=["no", "yes"])
    assert run("join", names, between=", ").item() == b"yes, no"


def test_lists_become_arrays_also_when_empty() -> None:
    assert run("stack", items((1, 2, 3, 4), shape=(4,))).tolist() == [[1, 2, 3, 4]]
    assert run("stack", items(shape=(4,))).shape == (0, 4)
    rows, owners = run("flatten", items(boxes(), boxes((1, 2, 3, 4), (5, 6, 7, 8))))
    assert (rows.shape, owners.tolist()) == ((2, 4), [1, 1])
    assert run("flatten", items())[0].shape == (0, 4)


def test_large_picture_is_shrunk() -> None:
    picture = run("decode_image", file(Image.new("L", (4000, 4000), 9)), channels=1)
    small, factor = run("fit", picture, longest=200)
    assert (small.shape, float(factor)) == ((200, 200, 1), 0.05)
    np.testing.assert_allclose(small, 9)


def test_every_function_stands_in_its_page() -> None:
    page = (ROOT / "docs/pipelines.md").read_text()
    assert [name for name in library() if f"`{name}`" not in page] == []


@pytest.mark.parametrize("text", ["float32", "float32[n", "Float32[n]", "list float32[n]"])
def test_declaration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a type as"):
        declared(text)


def test_function_must_take_what_it_declares() -> None:
    with pytest.raises(ValueError, match=r"takes \['x'\], declared are \['y'\]"):
        function({"y": "t[n]"}, {"z": "t[n]"})(lambda x: x)
