"""Three models and a pipeline that read a row of handwritten digits in a photograph: find, cut, recognise.

`digit-areas` tells where in a small picture there is writing, `digit-cuts` where in a line of it each digit is,
`digit-classes` which digit a crop shows, or none; the pipeline `digit-reader` wires them. Trained and measured on the
scenes of `digit_scenes`, with other digits and photographs.

    python examples/digit_reader.py [--to models] [--force]
"""

import argparse
import io
import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import yaml
from digit_scenes import EASY, HARD, TRAINING, Box, Kind, Scene, Scenes
from PIL import Image

from soapsvc.authoring.folder import write_folder
from soapsvc.authoring.freeze import freeze, run_frozen
from soapsvc.model.loader import load
from soapsvc.model.servable import Servable
from soapsvc.model.source import version_folder
from soapsvc.model.step_functions.boxes import grow_boxes, square_boxes, whole_boxes
from soapsvc.model.step_functions.pictures import crop, crop_resized, fit, fit_height

SEED = 7
LABELS = [str(digit) for digit in range(10)]
LONGEST = 192  # pixels of the picture in which areas are looked for
LINE = 64  # pixels: height of a line in which digits are cut
SIDE = 32  # pixels of a digit
CELL = 4  # pixels of a cell of the first two models' answers
SCENES = 1000
WIDTH = 384  # pixels of a line in training


def main() -> None:
    """Train, freeze, write, measure, write the pipeline."""
    parser = argparse.ArgumentParser(description="Train the models of digit-reader and write their folders.")
    parser.add_argument("--to", type=Path, default=Path("models"), metavar="FOLDER")
    parser.add_argument("--force", action="store_true", help="replace folders that exist")
    parser.add_argument("--only", choices=DESCRIPTIONS, nargs="*", help="train these; the others stand there already")
    arguments = parser.parse_args()
    keras.utils.set_random_seed(SEED)
    seen = Scenes(unseen=False, seed=SEED)
    scenes = [*seen.many(SCENES // 2, TRAINING), *seen.many(SCENES // 2, HARD)]
    for name, (examples, net, loss, epochs) in {
        "digit-areas": (area_examples, map_net, "binary_crossentropy", 10),
        "digit-cuts": (cut_examples, map_net, "binary_crossentropy", 8),
        "digit-classes": (class_examples, class_net, "sparse_categorical_crossentropy", 12),
    }.items():
        if name in (arguments.only or DESCRIPTIONS):
            made = net()
            train(made, *examples(scenes), loss, epochs)
            write_model(arguments.to, name, made, arguments.force)
    folder = arguments.to / "digit-reader" / "1"
    write_pipeline(folder, "Not measured yet.", [], arguments.force)
    reader = load(version_folder(folder))
    figures = measure(reader)
    samples = small_samples(reader, Scenes(unseen=True, seed=SEED + 2))
    calls = [{"inputs": {"image": sample}, "outputs": read(reader, sample)} for sample in samples]
    write_pipeline(folder, figures, calls, force=True)


def grey(picture: np.ndarray) -> np.ndarray:
    """A picture (uint8 (height, width, 3)) as a server decodes it: uint8 (height, width, 1)."""
    return np.asarray(Image.fromarray(picture).convert("L"))[..., None]


def encoded(picture: np.ndarray, quality: int = 90) -> bytes:
    """The picture as the bytes of a JPEG file."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def cells_of(boxes: Iterable[Box], size: tuple[int, int], part: float) -> np.ndarray:
    """1 in the cells whose middle is in the middle part of a box, of the part's size on both sides, else 0."""
    height, width = size
    y, x = np.mgrid[:height, :width] * CELL + CELL / 2
    found = np.zeros(size, np.float32)
    for left, top, wide, high in boxes:
        across, down = abs(x - left - wide / 2) <= wide * part / 2, abs(y - top - high / 2) <= high * part / 2
        found[across & down] = 1
    return found


def area_examples(scenes: Sequence[Scene]) -> tuple[np.ndarray, np.ndarray]:
    """Pictures, float32 (n, 192, 192, 1) of 0 to 1 with zeros around them, and where digits are in their cells."""
    pictures, cells = np.zeros((len(scenes), LONGEST, LONGEST, 1), np.float32), []
    for picture, scene in zip(pictures, scenes, strict=True):
        small, factor = fit.run(grey(scene.picture), longest=LONGEST)
        picture[: small.shape[0], : small.shape[1]] = small / 255
        boxes = [tuple(each * float(factor) for each in box) for box in joined(scene.boxes)]
        cells.append(cells_of(boxes, (LONGEST // CELL, LONGEST // CELL), 1.0))
    return pictures, np.array(cells)


def joined(boxes: Sequence[Box]) -> list[Box]:
    """The boxes, and one for each gap between neighbours: so that a row of digits is one area."""
    gaps = []
    for left, right in pairwise(boxes):
        start, end = left[0] + left[2] / 2, right[0] + right[2] / 2
        top, bottom = (left[1] + right[1]) / 2, (left[1] + left[3] + right[1] + right[3]) / 2
        gaps.append((start, top, end - start, bottom - top))
    return [*boxes, *gaps]


def cut_examples(scenes: Sequence[Scene]) -> tuple[np.ndarray, np.ndarray]:
    """Lines cut out as the pipeline does, somewhat off, float32 (n, 64, 384, 1), and the middles of their digits."""
    lines, cells, random = [], [], np.random.default_rng(SEED)
    for scene in (each for each in scenes for _ in range(2)):
        x, y, width, height = scene.area
        off = random.uniform(-0.12, 0.2, 4) * min(box[3] for box in scene.boxes)
        area = np.array([[x - off[0], y - off[1], width + off[0] + off[2], height + off[1] + off[3]]], np.float32)
        area = whole_boxes.run(grow_boxes.run(area, by=0.15))
        line = fit_height.run(crop.run(grey(scene.picture), area)[0], height=LINE, multiple_of=CELL)
        across, down = line.shape[1] / area[0, 2], LINE / area[0, 3]
        boxes = [((box[0] - area[0, 0]) * across, (box[1] - area[0, 1]) * down, box[2] * across, box[3] * down)
                 for box in scene.boxes]  # fmt: skip
        start = int(random.integers(0, max(1, (line.shape[1] - WIDTH) // CELL + 1))) * CELL
        known = cells_of(boxes, (LINE // CELL, line.shape[1] // CELL), 0.55)
        part = line[:, start : start + WIDTH] / 255
        lines.append(np.pad(part, ((0, 0), (0, WIDTH - part.shape[1]), (0, 0))))
        cut = known[:, start // CELL : (start + WIDTH) // CELL]
        cells.append(np.pad(cut, ((0, 0), (0, WIDTH // CELL - cut.shape[1]))))
    return np.array(lines), np.array(cells)


def class_examples(scenes: Sequence[Scene]) -> tuple[np.ndarray, np.ndarray]:
    """Crops around digits, somewhat off, float32 (n, 32, 32, 1), and their digits; of other places 10."""
    crops, digits, random = [], [], np.random.default_rng(SEED)
    for scene in (each for each in scenes for _ in range(3)):
        picture = grey(scene.picture)
        boxes = np.array(scene.boxes, np.float32)
        size = boxes[:, 2:] * np.exp(random.uniform(-0.25, 0.25, (len(boxes), 2)))
        middle = boxes[:, :2] + boxes[:, 2:] / 2 + random.uniform(-0.1, 0.1, size.shape) * boxes[:, 3:]
        crops.append(digit_crops(picture, np.concatenate([middle - size / 2, size], axis=1)))
        digits += [int(digit) for digit in scene.text]
        height = boxes[:, 3].mean()
        corner = [random.uniform(0, side - height) for side in picture.shape[1::-1]]
        elsewhere = np.array([[*corner, height * 0.7, height]])
        middle = elsewhere[0, :2] + elsewhere[0, 2:] / 2
        if np.abs(boxes[:, :2] + boxes[:, 2:] / 2 - middle).max(axis=1).min() > 0.6 * height:
            crops.append(digit_crops(picture, elsewhere.astype(np.float32)))
            digits.append(10)
    return np.concatenate(crops), np.array(digits)


def digit_crops(picture: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """What the last model gets of boxes: float32 (n, 32, 32, 1) of 0 to 1."""
    squares = square_boxes.run(grow_boxes.run(boxes.astype(np.float32), by=0.12))
    return crop_resized.run(picture, squares, height=SIDE, width=SIDE) / np.float32(255)


def map_net() -> keras.Model:
    """Pictures, float32 (batch, height, width, 1), multiples of 16, to scores of cells, a quarter as high and wide."""

    def half(x: Any, count: int) -> Any:
        return norm()(conv(count, 3, strides=2, padding="same", activation="relu")(x))

    def twice(x: Any, beside: Any, count: int) -> Any:
        joined = keras.layers.Concatenate()([keras.layers.UpSampling2D()(x), beside])
        return norm()(conv(count, 3, padding="same", activation="relu")(joined))

    conv, norm = keras.layers.Conv2D, keras.layers.BatchNormalization
    given = keras.Input((None, None, 1))
    quarter = half(half(given, 12), 24)
    eighth = half(quarter, 32)
    sixteenth = norm()(conv(48, 3, padding="same", activation="relu")(half(eighth, 48)))
    joined = twice(twice(sixteenth, eighth, 32), quarter, 24)
    return keras.Model(given, conv(1, 1, activation="sigmoid")(joined)[..., 0])


def class_net() -> keras.Model:
    """Crops, float32 (batch, 32, 32, 1), to the probabilities of ten digits and of none."""
    conv, pool, norm = keras.layers.Conv2D, keras.layers.MaxPooling2D, keras.layers.BatchNormalization
    return keras.Sequential(
        [
            keras.layers.Input((SIDE, SIDE, 1)),
            keras.layers.Lambda(standardised),
            *(conv(20, 3, padding="same", activation="relu"), norm(), pool()),
            *(conv(40, 3, padding="same", activation="relu"), norm(), pool()),
            *(conv(64, 3, padding="same", activation="relu"), norm(), pool()),
            keras.layers.Dropout(0.25),
            keras.layers.Flatten(),
            keras.layers.Dense(96, activation="relu"),
            keras.layers.Dropout(0.25),
            keras.layers.Dense(11, activation="softmax"),
        ]
    )


def standardised(pictures: Any) -> Any:
    """Pictures, float32 (batch, 32, 32, 1), each with mean 0 and deviation 1."""
    mean, deviation = (measure(pictures, axis=(1, 2, 3), keepdims=True) for measure in (keras.ops.mean, keras.ops.std))
    return (pictures - mean) / keras.ops.maximum(deviation, 0.03)


def train(net: keras.Model, pictures: np.ndarray, answers: np.ndarray, loss: str, epochs: int) -> None:
    """Fit a net, the steps getting smaller towards the end."""
    batch = 16 if pictures.shape[1] > SIDE else 64
    steps = epochs * -(-len(pictures) // batch)
    net.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.003, steps)), loss)
    net.fit(pictures, answers, batch_size=batch, epochs=epochs, verbose=2)


def write_model(models: Path, name: str, net: keras.Model, force: bool) -> None:
    """Freeze a net and write its folder, with a golden call."""
    whole = name != "digit-classes"
    shape = [None, None, None, 1] if whole else [None, SIDE, SIDE, 1]

    def served(pictures: tf.Tensor) -> Any:
        answers = mapped(net, pictures) if whole else net(pictures, training=False)
        return answers if whole else {"digits": answers[:, :10], "ink": 1.0 - answers[:, 10]}

    outputs = ["scores"] if whole else ["digits", "ink"]
    specification = [tf.TensorSpec(shape, tf.float32, "pictures")]
    graph_def = freeze(tf.function(served, specification).get_concrete_function(), inputs=["pictures"], outputs=outputs)
    size = (1, 16, 24, 1) if whole else (1, SIDE, SIDE, 1)
    sample = np.random.default_rng(SEED).integers(0, 100, size).astype(np.float32) / 100
    answers = run_frozen(graph_def, {"pictures": sample}, outputs)
    spec = {"tensor": "pictures:0", "dtype": "float32", "shape": ["batch", *shape[1:]]}
    shapes = {"scores": ["batch", None, None], "digits": ["batch", 10], "ink": ["batch"]}
    given = {each: {"tensor": f"{each}:0", "dtype": "float32", "shape": shapes[each]} for each in outputs}
    entry: dict[str, Any] = {} if whole else {"digits": {"as": "scoredLabels", "labels": "labels.txt", "top": 3}}
    write_folder(
        models / name / "1",
        graph_def=graph_def,
        manifest={
            "format": 1,
            "name": name,
            "description": DESCRIPTIONS[name],
            "signatures": {"predict": {"inputs": {"pictures": spec}, "outputs": given}},
            "contract": {"version": 1, "inputs": {"pictures": {"element": "picture"}}, "outputs": entry},
            "warmup": {"file": "warmup.jsonl", "rtol": 1.0e-3, "atol": 1.0e-5},
            "limits": {"max_batch": 256, "max_elements": 20_000_000},
        },
        labels=[] if whole else LABELS,
        warmup=[{"inputs": {"pictures": sample}, "outputs": answers}],
        force=force,
    )


def mapped(net: keras.Model, pictures: tf.Tensor) -> tf.Tensor:
    """Scores of the cells of pictures in any size: zeros fill them up to a multiple of 16."""
    height, width = tf.shape(pictures)[1], tf.shape(pictures)[2]
    scores = net(tf.pad(pictures, [[0, 0], [0, -height % 16], [0, -width % 16], [0, 0]]), training=False)
    return scores[:, : (height + CELL - 1) // CELL, : (width + CELL - 1) // CELL]


DESCRIPTIONS = {
    "digit-areas": "Where in a picture digits are written, for each cell of 4 by 4 pixels. "
    "The first model of the pipeline digit-reader; grey from 0 to 1, the longer side 192 pixels.",
    "digit-cuts": "Where in a line of writing the middle of a digit is, for each cell of 4 by 4 pixels. "
    "The second model of the pipeline digit-reader; grey from 0 to 1, 64 pixels high.",
    "digit-classes": "Which digit a picture of 32 by 32 pixels shows, and whether it shows one at all. "
    "The third model of the pipeline digit-reader; grey from 0 to 1.",
}
STEPS: dict[str, Any] = {
    "decode": {"function": "decode_image", "inputs": {"content": "image"}, "with": {"channels": 1}},
    "small": {"function": "fit", "inputs": {"picture": "decode.picture"}, "with": {"longest": LONGEST}},
    "light": {"function": "scale", "inputs": {"values": "small.picture"}, "with": {"factor": 1 / 255}},
    "find": {"model": "digit-areas", "inputs": {"pictures": "light.scaled"}},
    "areas": {"function": "regions", "inputs": {"scores": "find.scores"}, "with": {"above": 0.4, "least_cells": 8}},
    "pixels": {
        "function": "scale_boxes", "inputs": {"boxes": "areas.boxes", "factor": "small.factor"}, "with": {"times": CELL}
    },
    "around": {"function": "grow_boxes", "inputs": {"boxes": "pixels.scaled"}, "with": {"by": 0.2}},
    "places": {"function": "whole_boxes", "inputs": {"boxes": "around.grown"}},
    "crops": {"function": "crop", "inputs": {"picture": "decode.picture", "boxes": "places.whole"}},
    "lines": {
        "function": "fit_height", "inputs": {"picture": "crops.crops"},
        "with": {"height": LINE, "least_width": 16, "most_width": 2048, "multiple_of": CELL},
    },
    "even": {"function": "scale", "inputs": {"values": "lines.picture"}, "with": {"factor": 1 / 255}},
    "cut": {"model": "digit-cuts", "inputs": {"pictures": "even.scaled"}},
    "middles": {"function": "regions", "inputs": {"scores": "cut.scores"}, "with": {"above": 0.5, "least_cells": 2}},
    "cores": {
        "function": "place_boxes", "with": {"times": CELL},
        "inputs": {"boxes": "middles.boxes", "crops": "lines.picture", "places": "places.whole"},
    },
    "sure": {"function": "flatten", "inputs": {"items": "middles.scores"}},
    "boxes": {"function": "grow_boxes", "inputs": {"boxes": "cores.boxes"}, "with": {"width": 0.8, "height": 0.8}},
    "once": {
        "function": "non_maximum_suppression", "inputs": {"boxes": "boxes.grown", "scores": "sure.rows"},
        "with": {"overlap": 0.5, "of": "smaller"},
    },
    "found": {"function": "take", "inputs": {"values": "boxes.grown", "places": "once.kept"}},
    "margin": {"function": "grow_boxes", "inputs": {"boxes": "found.taken"}, "with": {"by": 0.12}},
    "squares": {"function": "square_boxes", "inputs": {"boxes": "margin.grown"}},
    "digits": {
        "function": "crop_resized", "inputs": {"picture": "decode.picture", "boxes": "squares.squares"},
        "with": {"height": SIDE, "width": SIDE},
    },
    "clear": {"function": "scale", "inputs": {"values": "digits.crops"}, "with": {"factor": 1 / 255}},
    "recognise": {"model": "digit-classes", "inputs": {"pictures": "clear.scaled"}},
    "inked": {"function": "threshold", "inputs": {"scores": "recognise.ink"}, "with": {"above": 0.5}},
    "real": {"function": "take", "inputs": {"values": "found.taken", "places": "inked.kept"}},
    "classes": {"function": "take", "inputs": {"values": "recognise.digits", "places": "inked.kept"}},
    "order": {"function": "reading_order", "inputs": {"boxes": "real.taken"}},
    "ordered_boxes": {"function": "take", "inputs": {"values": "real.taken", "places": "order.order"}},
    "ordered_classes": {"function": "take", "inputs": {"values": "classes.taken", "places": "order.order"}},
    "best": {"function": "best", "inputs": {"scores": "ordered_classes.taken"}},
    "names": {"function": "name_places", "inputs": {"places": "best.places"}, "with": {"labels": LABELS}},
    "text": {"function": "join", "inputs": {"texts": "names.texts"}},
}  # fmt: skip
BOX = ["x", "y", "width", "height"]
OUTPUTS = {
    "text": {"tensor": "text.text", "dtype": "string", "shape": []},
    "boxes": {"tensor": "ordered_boxes.taken", "dtype": "float32", "shape": ["digits", 4]},
    "scores": {"tensor": "best.scores", "dtype": "float32", "shape": ["digits"]},
    "classes": {"tensor": "ordered_classes.taken", "dtype": "float32", "shape": ["digits", 10]},
}


def write_pipeline(folder: Path, figures: str, calls: Sequence[Any], force: bool) -> None:
    """Write model.yaml, and warmup.jsonl if there are golden calls."""
    if folder.exists() and not force:
        raise FileExistsError(f"{folder} exists; write the next version, or replace this one with --force")
    manifest = {
        "format": 1,
        "name": "digit-reader",
        "description": f"Reads a row of handwritten digits anywhere in a photograph, with a box for each. {figures}",
        "steps": STEPS,
        "signatures": {
            "predict": {"inputs": {"image": {"tensor": "image", "dtype": "string", "shape": []}}, "outputs": OUTPUTS}
        },
        "contract": {
            "version": 1,
            "inputs": {"image": {"as": "image", "description": "PNG or JPEG of any size"}},
            "records": {"digits": {"type": "FoundDigit", "description": "From left to right, line by line."}},
            "outputs": {
                "text": {"description": "All digits."},
                "boxes": {
                    "record": "digits",
                    "element": "box",
                    "type": "Box",
                    "columns": BOX,
                },
                "scores": {"record": "digits", "element": "score"},
                "classes": {"record": "digits", "element": "digit", "as": "scoredLabels", "labels": LABELS, "top": 3},
            },
        },
        "limits": {"max_image_pixels": 20_000_000},
    }
    folder.mkdir(parents=True, exist_ok=True)
    if calls:
        manifest["warmup"] = {"file": "warmup.jsonl", "rtol": 1.0e-2, "atol": 1.0e-3}
        lines = [json.dumps(call, default=plain) for call in calls]
        (folder / "warmup.jsonl").write_text("".join(f"{line}\n" for line in lines))
    text = yaml.safe_dump(manifest, sort_keys=False, default_flow_style=None, width=110)
    (folder / "model.yaml").write_text(text)


def plain(value: Any) -> Any:
    """What json cannot write, as warmup.jsonl has it."""
    import base64

    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    return value.tolist() if value.dtype == object or value.ndim == 0 else np.round(value.astype(float), 5).tolist()


def read(reader: Servable, picture: bytes) -> dict[str, Any]:
    """What the pipeline gives for a file: text, boxes, scores and classes."""
    answer = reader.run(reader.find_signature(None), {"image": np.asarray(picture, object)})
    return answer | {"text": answer["text"].item().decode()}


def measure(reader: Servable, count: int = 200) -> str:
    """Print and return how many strings of unseen scenes are read exactly right."""
    shares = {}
    for name, kind in (("easy", EASY), ("hard", HARD)):
        shares[name] = exactly_right(reader, Scenes(unseen=True, seed=SEED + 1), kind, count)
    figures = ", ".join(f"{share:.1%} of {count} {name} ones" for name, share in shares.items())
    sentence = f"Exactly right of unseen scenes: {figures}."
    print(sentence)
    return sentence


def small_samples(reader: Servable, scenes: Scenes) -> list[bytes]:
    """Two files that are read right, the smallest of some: they stand in sample requests."""
    files = [(encoded(scene.picture, 75), scene.text) for scene in scenes.many(30, EASY)]
    right = [file for file, text in sorted(files, key=lambda pair: len(pair[0])) if read(reader, file)["text"] == text]
    return right[:2]


def exactly_right(reader: Servable, scenes: Scenes, kind: Kind, count: int) -> float:
    """The share of scenes whose whole string is right."""
    right = 0
    for scene in scenes.many(count, kind):
        quality = int(scenes.random.integers(*kind.quality))
        right += read(reader, encoded(scene.picture, quality))["text"] == scene.text
    return right / count


if __name__ == "__main__":
    main()
