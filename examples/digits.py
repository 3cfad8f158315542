"""Shows pictures in, scored labels out, the pictures' handling inside the graph: which digit is this?

The graph takes encoded PNG or JPEG of any size, a batch of different ones too: it decodes, turns dark ink on
light paper into light ink on dark, crops to the ink, pads to a square, shrinks to 8x8 and runs a small
convolutional network. Trained and measured on scikit-learn's digits.

    python examples/digits.py [--to models/digits/1] [--force]
"""

import argparse
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from soapsvc.authoring.folder import write_folder
from soapsvc.authoring.freeze import freeze, run_frozen

SEED = 7
LABELS = [str(digit) for digit in range(10)]
SIDE = 8
Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def main() -> None:
    """Train, freeze, compare, measure, write."""
    parser = argparse.ArgumentParser(description="Train the digits example and write its model folder.")
    parser.add_argument("--to", type=Path, default=Path("models/digits/1"), metavar="FOLDER")
    parser.add_argument("--force", action="store_true", help="replace the folder if it exists")
    arguments = parser.parse_args()

    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    training, held_out, digits, held_out_digits = split()
    model = train(*augmented(training, digits))
    graph_def = freeze(served(model), inputs=["images"], outputs=["probabilities"])
    plain = [encoded(picture) for picture in held_out]
    np.testing.assert_allclose(answer(graph_def, plain), model(pictures(tf.constant(plain))), rtol=1e-4, atol=1e-6)

    accuracy = measure(graph_def, held_out, held_out_digits)
    write_folder(
        arguments.to,
        graph_def=graph_def,
        manifest=manifest(accuracy),
        labels=LABELS,
        warmup=[
            {"inputs": {"images": images}, "outputs": {"probabilities": answer(graph_def, images)}}
            for images in calls(held_out[:4])
        ],
        force=arguments.force,
    )


def calls(four: np.ndarray) -> list[list[bytes]]:
    """Batches of files for warm-up: PNG and JPEG of different sizes, from pictures (uint8 (4, 8, 8))."""
    first, second, third, fourth = four
    return [
        [encoded(first)],
        [encoded(enlarged(second, 10), "JPEG")],
        [encoded(255 - third)],
        [
            encoded(first),
            encoded(enlarged(255 - second, 10)),
            encoded(enlarged(third, 3, 5), "JPEG"),
            encoded(np.pad(enlarged(fourth, 4), 6)),
        ],
    ]


def split() -> Split:
    """Training and held-out pictures (uint8 (n, 8, 8), light ink on black), then their digits, stratified."""
    data = load_digits()
    pixels = np.rint(data.images * (255 / 16)).astype(np.uint8)
    parts: Split = train_test_split(pixels, data.target, test_size=0.25, stratify=data.target, random_state=SEED)
    return parts


def enlarged(
    picture: np.ndarray,
    times: int,
    across: int | None = None,
    how: Image.Resampling = Image.Resampling.NEAREST,
) -> np.ndarray:
    """The picture `times` as high and `across` (default: also times) as wide; uint8 like the picture."""
    height, width = picture.shape
    return np.asarray(Image.fromarray(picture).resize((width * (across or times), height * times), how))


def encoded(picture: np.ndarray, form: str = "PNG") -> bytes:
    """The picture (uint8 (height, width)) as the bytes of a grey PNG or JPEG file."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, form)
    return stream.getvalue()


def augmented(training: np.ndarray, digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The training pictures and changed ones as float32 (n, 8, 8, 1), and their digits.

    The changes are what clients do: enlarge, turn or shift a little, invert, grey the paper, compress.
    """
    random = np.random.default_rng(SEED)

    def changed(picture: np.ndarray) -> bytes:
        large = enlarged(
            picture,
            int(random.integers(2, 8)),
            how=random.choice(
                np.array([Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.NEAREST])
            ),
        )
        shift = random.uniform(-0.06, 0.06, 2) * large.shape
        turned = np.asarray(
            Image.fromarray(large).rotate(
                random.uniform(-8, 8), Image.Resampling.BILINEAR, translate=(int(shift[0]), int(shift[1]))
            )
        )
        paper, ink = random.integers(0, 60), random.integers(180, 256)
        toned = (paper + turned * ((ink - paper) / 255)).astype(np.uint8)
        return encoded(255 - toned if random.random() < 0.5 else toned, str(random.choice(["PNG", "JPEG"])))

    files = [encoded(picture) for picture in training] + [changed(picture) for picture in np.repeat(training, 8, 0)]
    return tf.function(pictures)(tf.constant(files)).numpy(), np.concatenate([digits, np.repeat(digits, 8)])


def pictures(images: tf.Tensor) -> tf.Tensor:
    """Encoded PNG or JPEG files (string (batch,)) as float32 (batch, 8, 8, 1): see picture()."""
    return tf.map_fn(picture, images, fn_output_signature=tf.TensorSpec([SIDE, SIDE, 1], tf.float32))


def picture(image: tf.Tensor) -> tf.Tensor:
    """One encoded file (string scalar) as float32 (8, 8, 1): light ink on dark, 0 to 1, cropped, square."""
    grey = tf.cast(tf.io.decode_image(image, channels=1, expand_animations=False), tf.float32)
    darkest, lightest = tf.reduce_min(grey), tf.reduce_max(grey)
    spread = (grey - darkest) / tf.maximum(lightest - darkest, 1.0)
    # Ink seldom touches the edge, so the edge is the paper's colour: paper lighter than the middle between
    # the darkest and the lightest pixel means dark ink. None of scikit-learn's 1,797 pictures is misjudged.
    edge = tf.concat([spread[0], spread[-1], spread[:, 0], spread[:, -1]], axis=0)
    light_ink = tf.where(tf.reduce_mean(edge) > 0.5, 1.0 - spread, spread)
    # Rows and columns without ink go, so a margin does no harm; a blank picture keeps all of its own.
    ink = light_ink > 0.25
    blank = tf.logical_not(tf.reduce_any(ink))
    cropped = tf.boolean_mask(light_ink, tf.reduce_any(ink, axis=[1, 2]) | blank, axis=0)
    cropped = tf.boolean_mask(cropped, tf.reduce_any(ink, axis=[0, 2]) | blank, axis=1)
    height, width = tf.shape(cropped)[0], tf.shape(cropped)[1]
    longer = tf.maximum(height, width)
    above, left = (longer - height) // 2, (longer - width) // 2
    square = tf.pad(cropped, [[above, longer - height - above], [left, longer - width - left], [0, 0]])
    return tf.ensure_shape(tf.image.resize(square, [SIDE, SIDE], method="area"), [SIDE, SIDE, 1])


def train(ink: np.ndarray, digits: np.ndarray) -> keras.Model:
    """A convolutional network: float32 (batch, 8, 8, 1) of 0 to 1 -> probabilities (batch, 10)."""
    model = keras.Sequential(
        [
            keras.layers.Input((SIDE, SIDE, 1)),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Dropout(0.25),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dropout(0.25),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy")
    model.fit(ink, digits, batch_size=64, epochs=10, verbose=2)
    return model


def served(model: keras.Model) -> tf.types.experimental.ConcreteFunction:
    """The served function: encoded images (string (batch,)) -> probabilities (float32 (batch, 10))."""
    specification = [tf.TensorSpec([None], tf.string, "images")]
    return tf.function(lambda images: model(pictures(images), training=False), specification).get_concrete_function()


def answer(graph_def: tf.compat.v1.GraphDef, images: Sequence[bytes]) -> np.ndarray:
    """What a server would answer: float32 (len(images), 10)."""
    return run_frozen(graph_def, {"images": images}, ["probabilities"])["probabilities"]


def measure(graph_def: tf.compat.v1.GraphDef, held_out: np.ndarray, digits: np.ndarray) -> str:
    """Print the frozen graph's accuracies on the held-out pictures; returns the sentence for the manifest."""
    smooth = Image.Resampling.BICUBIC
    ways: dict[str, Callable[[np.ndarray], bytes]] = {
        "PNG, 8x8": encoded,
        "PNG, dark ink on light": lambda picture: encoded(255 - picture),
        "PNG, enlarged 10 times": lambda picture: encoded(enlarged(picture, 10)),
        "PNG, enlarged 10 times smoothly": lambda picture: encoded(enlarged(picture, 10, how=smooth)),
        "JPEG, enlarged 10 times smoothly, dark ink on light": lambda picture: encoded(
            enlarged(255 - picture, 10, how=smooth), "JPEG"
        ),
        "JPEG, 8x8": lambda picture: encoded(picture, "JPEG"),
        "PNG, enlarged 8 times smoothly, margin as wide as a quarter of the picture": lambda picture: encoded(
            np.pad(enlarged(picture, 8, how=smooth), 16)
        ),
    }
    right = {
        name: int((answer(graph_def, [way(picture) for picture in held_out]).argmax(axis=1) == digits).sum())
        for name, way in ways.items()
    }
    for name, count in right.items():
        print(f"{count / len(digits):.1%} ({count} of {len(digits)}): {name}")
    count, worst = right["PNG, 8x8"], min(right.values())
    return (
        f"Held-out accuracy {count / len(digits):.1%} ({count} of {len(digits)} pictures not used in "
        f"training), {worst / len(digits):.1%} at worst when enlarged, inverted, with a margin or as JPEG."
    )


def manifest(accuracy: str) -> dict[str, object]:
    """model.yaml, but for the graph's checksum."""
    return {
        "format": 1,
        "name": "digits",
        "description": f"Which digit a picture of one handwritten digit shows. {accuracy}",
        "signatures": {
            "predict": {
                "inputs": {"images": {"tensor": "images:0", "dtype": "string", "shape": ["batch"]}},
                "outputs": {"probabilities": {"tensor": "probabilities:0", "dtype": "float32", "shape": ["batch", 10]}},
            }
        },
        "contract": {
            "version": 1,
            "inputs": {
                "images": {
                    "element": "image",
                    "as": "image",
                    "description": "PNG or JPEG of one digit, any size",
                }
            },
            "outputs": {"probabilities": {"as": "scoredLabels", "labels": "labels.txt", "top": 3}},
        },
        "warmup": {"file": "warmup.jsonl", "rtol": 1.0e-3, "atol": 1.0e-5},
        "limits": {"max_batch": 100},
    }


if __name__ == "__main__":
    main()
