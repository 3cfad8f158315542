"""Pictures as files: matplotlib without a display, the width of text, and SVG that is text and nothing from outside."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from soapsvc.authoring.source import SourceError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("svg", "png")
_SVG = "{http://www.w3.org/2000/svg}"
_MOST_PIXELS = 40e6
_FONT = "DejaVu Sans"  # comes with matplotlib; others of its width or narrower stand in for it in an SVG


def plot_format(path: Path) -> str:
    """Return svg or png, as a file's suffix says. Raises SourceError, also when what draws is not installed."""
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise SourceError(
            f"--plot {path}: expected a file that ends in .svg or .png, not in {path.suffix or 'nothing'}"
        )
    try:
        import fast_sugiyama  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError as err:
        raise SourceError(f"--plot needs {err.name}: pip install 'soapsvc[plot]'") from err
    return suffix


@contextmanager
def drawing() -> Iterator[None]:
    """Draw by these settings alone, whatever a user's matplotlibrc says; glyphs that no font has are boxes."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "soapsvc", "font.family": _FONT}
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in points."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="white")


@lru_cache(maxsize=10_000)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """Return a text's width in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=_FONT, size=size, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(text, font, False)[0])


def fitted(text: str, width: float, size: float, bold: bool = False) -> str:
    """Return a text that is no wider than a width in points: its middle is left out where it is too long."""
    text = plain(text)
    left = len(text)
    short = text
    while left > 1 and text_width(short, size, bold) > width:
        left -= 1
        short = f"{text[: left // 2]}…{text[len(text) - (left - left // 2) :]}"
    return short


def plain(text: str) -> str:
    """Return a text without characters that XML has no place for."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def save_figure(figure: Figure, path: Path, file_format: str, title: str, tooltips: Mapping[str, str]) -> None:
    """Write a figure. tooltips: an artist's gid -> what an SVG shows of it under the mouse."""
    width, height = figure.get_size_inches() * 72
    if file_format == "png":
        figure.savefig(path, format="png", dpi=72 * min(2.0, (_MOST_PIXELS / (width * height)) ** 0.5))
        return
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    path.write_bytes(_tidied(drawn.getvalue(), plain(title), tooltips))


def _tidied(drawn: bytes, title: str, tooltips: Mapping[str, str]) -> bytes:
    """Return matplotlib's SVG without metadata and DOCTYPE, both of which name other files, and with tooltips.

    Groups `box.1`, `box.2` are put into the group `box`, so that a box and its text have one tooltip.
    """
    for prefix, uri in (("", _SVG.strip("{}")), ("xlink", "http://www.w3.org/1999/xlink")):
        ElementTree.register_namespace(prefix, uri)
    root = ElementTree.fromstring(drawn)  # noqa: S314 - matplotlib's own words, not a stranger's
    for metadata in root.findall(f"{_SVG}metadata"):
        root.remove(metadata)
    for words in root.iter(f"{_SVG}text"):
        words.set("style", words.get("style", "").replace(f"'{_FONT}'", f"'{_FONT}', Verdana, sans-serif"))
        if words.get("transform", "").startswith("rotate(-0 "):
            del words.attrib["transform"]
    groups = {group.get("id", ""): group for group in root.iter(f"{_SVG}g")}
    parents = {child: parent for parent in root.iter() for child in parent}
    for name, group in groups.items():
        owner = groups.get(name.split(".")[0])
        if owner is not None and "." in name:
            parents[group].remove(group)
            del group.attrib["id"]
            owner.append(group)
    for name, text in [*tooltips.items(), ("", title)]:
        tooltip = ElementTree.Element(f"{_SVG}title")
        tooltip.text = text
        (groups[name] if name else root).insert(0, tooltip)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"
