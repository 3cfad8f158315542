"""Scenes to read digits from: handwritten digits of scikit-learn's in a row, anywhere on real photographs.

Digits and photographs come in two parts that share nothing: one to train on, one to measure on.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter
from skimage import data
from sklearn.datasets import load_digits, load_sample_images
from sklearn.model_selection import train_test_split

SEED = 7
SEEN = ("astronaut", "brick", "coffee", "grass", "moon", "rocket")  # of scikit-image's photographs
UNSEEN = ("camera", "chelsea", "gravel")
Box = tuple[float, float, float, float]  # x, y, width, height
Size = tuple[int, int]  # width, height


@dataclass(frozen=True)
class Scene:
    """picture: uint8 (height, width, 3).  text: its digits from left to right.  boxes: of each, in pixels."""

    picture: np.ndarray
    text: str
    boxes: list[Box]

    @property
    def area(self) -> Box:
        """The box around all digits."""
        left, top = min(box[0] for box in self.boxes), min(box[1] for box in self.boxes)
        right, bottom = max(box[0] + box[2] for box in self.boxes), max(box[1] + box[3] for box in self.boxes)
        return left, top, right - left, bottom - top


@dataclass(frozen=True)
class Kind:
    """How hard scenes are: ranges from which each scene draws.

    height: of a digit in pixels.  contrast: between ink and the mean of what is behind it, of 255.  angle: of the
    line in degrees, both ways.  gap: between digits, in heights.  noise: its standard deviation, of 255.
    calm: how much of the photograph's own contrast is left.  quality: of JPEG.
    """

    height: tuple[float, float] = (30, 64)
    contrast: tuple[float, float] = (110, 200)
    angle: float = 5
    gap: tuple[float, float] = (0.15, 0.5)
    noise: tuple[float, float] = (0, 6)
    calm: tuple[float, float] = (0.4, 0.8)
    quality: tuple[int, int] = (85, 95)


TRAINING = Kind()
EASY = Kind((36, 64), (130, 210), 5, (0.2, 0.5), (0, 4), (0.2, 0.5))
HARD = Kind((20, 64), (60, 160), 14, (0.05, 0.5), (4, 16), (0.8, 1.0), (45, 85))


class Scenes:
    """Makes scenes out of one part of the digits and of the photographs."""

    def __init__(self, unseen: bool, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        digits = load_digits()
        parts = train_test_split(
            digits.images / 16, digits.target, test_size=0.25, stratify=digits.target, random_state=SEED
        )
        self._shapes, self._targets = (parts[1], parts[3]) if unseen else (parts[0], parts[2])
        china, flower = (Image.fromarray(image) for image in load_sample_images().images)
        named = [Image.fromarray(getattr(data, name)()).convert("RGB") for name in (UNSEEN if unseen else SEEN)]
        self._photographs = [*named, flower if unseen else china]

    def many(self, count: int, kind: Kind) -> Iterator[Scene]:
        """Yield scenes of a kind."""
        for _ in range(count):
            yield self.scene(kind)

    def scene(self, kind: Kind) -> Scene:
        """Return a scene: 3 to 6 digits in one line."""
        random = self.random
        while True:
            ink = [self._digit(random.uniform(*kind.height), kind) for _ in range(random.integers(3, 7))]
            size = max(mask.size[1] for _, mask in ink)
            ink = [(digit, _in_height(mask, size * random.uniform(0.88, 1.0))) for digit, mask in ink]
            canvas = int(random.integers(280, 640)), int(random.integers(240, 480))
            centres = self._centres([mask.size[0] for _, mask in ink], size, canvas, kind)
            if centres is not None:
                return self._painted(canvas, ink, centres, kind)

    def background(self, width: int, height: int, kind: Kind) -> np.ndarray:
        """Return a part of a photograph, float (height, width, 3)."""
        random = self.random
        photograph = self._photographs[random.integers(len(self._photographs))]
        wide, high = photograph.size
        side = random.uniform(0.3, 1.0)
        part = max(8, int(wide * side)), max(8, int(wide * side * height / width))
        left, top = random.integers(0, max(1, wide - part[0])), random.integers(0, max(1, high - part[1]))
        cut = photograph.crop((left, top, min(wide, left + part[0]), min(high, top + part[1])))
        if random.random() < 0.5:
            cut = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = np.asarray(cut.resize((width, height), Image.Resampling.BICUBIC), np.float32)
        mean = pixels.mean()
        return np.asarray(mean + (pixels - mean) * random.uniform(*kind.calm))

    def _digit(self, height: float, kind: Kind) -> tuple[int, Image.Image]:
        random, chosen = self.random, self.random.integers(len(self._targets))
        shape = self._shapes[chosen]
        rows, columns = np.flatnonzero(shape.max(1) > 0.1), np.flatnonzero(shape.max(0) > 0.1)
        trimmed = np.pad(shape[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
        large = Image.fromarray((trimmed * 255).astype(np.uint8)).resize(
            (int(trimmed.shape[1] * height / 8 * random.uniform(0.85, 1.15)), int(trimmed.shape[0] * height / 8)),
            Image.Resampling.BICUBIC,
        )
        sharp = np.clip((np.asarray(large, np.float32) / 255 - 0.25) / random.uniform(0.5, 0.7), 0, 1)
        return int(self._targets[chosen]), Image.fromarray((sharp * 255).astype(np.uint8))

    def _centres(self, widths: list[int], height: float, canvas: Size, kind: Kind) -> list[tuple[float, float]] | None:
        """Return the middle of each digit on a tilted line that fits the canvas, None where none does."""
        random, angle = self.random, np.deg2rad(self.random.uniform(-kind.angle, kind.angle))
        gaps = [random.uniform(*kind.gap) * height for _ in widths]
        along = np.cumsum([width + gap for width, gap in zip(widths, gaps, strict=True)]) - np.array(widths) / 2
        x, y = along * np.cos(angle), along * np.sin(angle) + random.normal(0, 0.03, len(widths)) * height
        margin = 0.75 * height
        room = canvas[0] - np.ptp(x) - 2 * margin, canvas[1] - np.ptp(y) - 2 * margin
        if min(room) <= 0:
            return None
        left, top = margin - x.min() + random.uniform(0, room[0]), margin - y.min() + random.uniform(0, room[1])
        self._angle = float(np.rad2deg(angle))
        return list(zip(x + left, y + top, strict=True))

    def _painted(
        self,
        canvas: Size,
        ink: list[tuple[int, Image.Image]],
        centres: list[tuple[float, float]],
        kind: Kind,
    ) -> Scene:
        random, (width, height) = self.random, canvas
        pixels, boxes = self.background(width, height, kind), []
        layer = np.zeros((height, width), np.float32)
        for (_, mask), (x, y) in zip(ink, centres, strict=True):
            turned = mask.rotate(-self._angle + random.uniform(-3, 3), Image.Resampling.BICUBIC, expand=True)
            alpha = np.asarray(turned, np.float32) / 255
            top, left = round(y - alpha.shape[0] / 2), round(x - alpha.shape[1] / 2)
            place = layer[top : top + alpha.shape[0], left : left + alpha.shape[1]]
            np.maximum(place, alpha, out=place)
            rows, columns = np.flatnonzero(alpha.max(1) > 0.3), np.flatnonzero(alpha.max(0) > 0.3)
            boxes.append((left + columns[0], top + rows[0], np.ptp(columns) + 1.0, np.ptp(rows) + 1.0))
        behind = float(pixels[layer > 0.3].mean())
        contrast = random.uniform(*kind.contrast)
        lighter = behind + contrast < 255 and (random.random() < 0.5 or behind < contrast)
        light = behind + contrast if lighter else behind - contrast
        colour = np.clip(light + random.uniform(-25, 25, 3), 0, 255)
        pixels = pixels * (1 - layer[..., None]) + colour * layer[..., None]
        pixels += random.normal(0, random.uniform(*kind.noise), pixels.shape)
        picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        if random.random() < 0.5:
            picture = picture.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 0.9)))
        return Scene(np.asarray(picture), "".join(str(digit) for digit, _ in ink), boxes)


def _in_height(mask: Image.Image, height: float) -> Image.Image:
    size = max(2, round(mask.size[0] * height / mask.size[1])), max(2, round(height))
    return mask.resize(size, Image.Resampling.BICUBIC)
