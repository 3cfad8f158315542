"""The pictures that every client sends.

PICTURE: a PNG of two rows of two pixels, red, green and blue counting from 1 to 12.
SCENE: a photograph with the digits 173.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image

SCENE = Path(__file__).parents[1] / "clients/csharp/scene.jpg"


def _png() -> bytes:
    file = BytesIO()
    Image.frombytes("RGB", (2, 2), bytes(range(1, 13))).save(file, "PNG")
    return file.getvalue()


PICTURE = _png()
