"""The picture that every client sends: a PNG of two rows of two pixels, red, green and blue counting from 1 to 12."""

from __future__ import annotations

from io import BytesIO

from PIL import Image


def _png() -> bytes:
    file = BytesIO()
    Image.frombytes("RGB", (2, 2), bytes(range(1, 13))).save(file, "PNG")
    return file.getvalue()


PICTURE = _png()
