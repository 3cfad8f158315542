"""The picture of a graph: what stands in its boxes, the edges between them, the title and the legend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soapsvc.authoring.inspect_plot_canvas import fitted, new_figure, plain, text_width
from soapsvc.authoring.inspect_plot_edges import DASHES, EDGE_COLOUR, draw_edges
from soapsvc.authoring.inspect_plot_layout import place
from soapsvc.authoring.inspect_plot_nodes import Node, plotted_nodes
from soapsvc.authoring.inspect_plot_scopes import Box, boxes_of
from soapsvc.authoring.inspect_summary import Inspected

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

# Fill and text: after Okabe and Ito for the colour-blind, each of another lightness for prints in grey.
COLOURS = {
    "input": ("#0072B2", "white"),
    "output": ("#E69F00", "black"),
    "constant": ("#F7EE8F", "black"),
    "function": ("#CC79A7", "black"),
    "scope": ("#BFC9D1", "black"),
    "operation": ("#FFFFFF", "black"),
}
_NAMES = {"constant": "variable or constant", "function": "calls a function"}
_MARGIN, _HEADER, _PADDING = 20.0, 94.0, 6.0
_NARROWEST, _WIDEST = 84.0, 190.0
_LEAST_WIDTH = 620.0  # room for the legend
_MOST_IN_TOOLTIP = 40
_MOST_TYPES = 4


@dataclass(frozen=True)
class _Line:
    text: str
    size: float = 8.0
    bold: bool = False

    @property
    def height(self) -> float:
        return self.size * 1.35


@dataclass(frozen=True)
class _Label:
    """A box's text and its size in points."""

    lines: tuple[_Line, ...]
    size: tuple[float, float]


def draw_graph(inspected: Inspected) -> tuple[Figure, dict[str, str]]:
    """Return the picture and the tooltips of its parts by their gid. Raises SourceError when there is no graph."""
    nodes = plotted_nodes(inspected)
    boxes, edges = boxes_of(nodes)
    labels = [_label(box) for box in boxes]
    layout = place([label.size for label in labels], [(edge.source, edge.target) for edge in edges])
    width = max(layout.size[0], _LEAST_WIDTH) + 2 * _MARGIN
    figure = new_figure(width, layout.size[1] + _HEADER + _MARGIN)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, width), ylim=(layout.size[1] + _HEADER + _MARGIN, 0))
    shift = ((width - layout.size[0]) / 2, _HEADER)
    layout = layout.moved(*shift)
    tooltips = draw_edges(axes, boxes, edges, layout, [label.size for label in labels])
    for index, (box, label) in enumerate(zip(boxes, labels, strict=True)):
        _draw_box(axes, f"box{index}", kind_of(box), label, layout.corners[index])
        tooltips[f"box{index}"] = _plain_lines(_tooltip(box))
    kinds = [kind for kind in COLOURS if kind in {kind_of(box) for box in boxes}]
    has_control = any(not edge.tensors for edge in edges)
    _draw_header(axes, inspected, len(nodes), len(boxes), width - 2 * _MARGIN)
    plural = inspected.summary.operations_are
    names = _NAMES | {"operation": plural.removesuffix("s"), "scope": f"several {plural}"}
    _draw_legend(axes, {kind: names.get(kind, kind) for kind in kinds}, has_control)
    return figure, tooltips


def kind_of(box: Box) -> str:
    """Return a key of COLOURS."""
    kinds = {node.kind for node in box.nodes}
    return "scope" if box.single is None and kinds != {"constant"} else box.nodes[0].kind


def _plain_lines(text: str) -> str:
    """Return a text of several lines without characters that XML has no place for."""
    return "\n".join(plain(line) for line in text.split("\n"))


def _label(box: Box) -> _Label:
    scope, _, name = box.name.rpartition("/") if box.single else _split(box.name)
    lines = [_Line(fitted(f"{scope}/", _WIDEST, 7), 7)] if scope else []
    lines.append(_Line(fitted(name, _WIDEST, 9, True), 9, True))
    told = _of_node(box.single) if box.single else _of_scope(box)
    lines += [_Line(fitted(text, _WIDEST, 8)) for text in (*told, *box.notes)]
    width = max(text_width(line.text, line.size, line.bold) for line in lines)
    return _Label(
        tuple(lines),
        (max(width, _NARROWEST) + 2 * _PADDING, sum(line.height for line in lines) + 2 * _PADDING),
    )


def _split(name: str) -> tuple[str, str, str]:
    """Return what scope a name is in and its own part; a run's name `a/b … c` is cut before its first part."""
    first, dots, last = name.partition(" … ")
    scope, slash, own = first.rpartition("/")
    return scope, slash, f"{own}{dots}{last}"


def _of_node(node: Node) -> Iterator[str]:
    if node.kind in ("input", "output"):
        yield f"{node.kind}: {node.type}"
    elif node.type != node.name.rsplit("/", 1)[-1]:
        yield node.type
    for function in node.functions[:3]:
        yield f"calls {function}"
    if node.inner:
        yield from _counts(node.inner)
    if node.shape:
        yield node.shape
    if node.parameters:
        yield f"{node.parameters:,} parameters"


def _of_scope(box: Box) -> Iterator[str]:
    yield from _counts(box.operations)
    nodes = f"{len(box.nodes):,} nodes"
    yield f"{nodes}, {box.parameters:,} parameters" if box.parameters else nodes


def _counts(types: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Yield lines such as `Conv2D x 3, BiasAdd`, no wider than a box."""
    words = [f"{name} x {number}" if number > 1 else name for name, number in types[:_MOST_TYPES]]
    if len(types) > _MOST_TYPES:
        words.append(f"{len(types) - _MOST_TYPES} more types")
    line = ""
    for word in words:
        longer = f"{line}, {word}" if line else word
        if line and text_width(longer, 8) > _WIDEST:
            yield f"{line},"
            longer = word
        line = longer
    yield line


def _tooltip(box: Box) -> str:
    """Return the box's full list of nodes, up to a limit."""
    if box.single:
        node = box.single
        inner = [f"{name} x {number}" for name, number in node.inner]
        takes = [f"{'^' if link.control else ''}{link.tensor} {link.shape}".rstrip() for link in node.links]
        parts = [node.name, node.type, *_of_node(node), *inner, *(f"takes {each}" for each in takes)]
        return "\n".join(_limited(list(dict.fromkeys(parts))))
    counts = ", ".join(f"{name} x {number}" for name, number in box.operations)
    nodes = [f"{node.name}: {node.type} {node.shape}".rstrip() for node in box.nodes]
    return "\n".join([box.name, *list(_of_scope(box))[-1:], counts, *_limited(nodes)])


def _limited(lines: list[str]) -> list[str]:
    left_out = len(lines) - _MOST_IN_TOOLTIP
    return [*lines[:_MOST_IN_TOOLTIP], *([f"and {left_out} more"] if left_out > 0 else [])]


def _draw_box(axes: Axes, gid: str, kind: str, label: _Label, corner: tuple[float, float]) -> None:
    from matplotlib.patches import Rectangle

    fill, ink = COLOURS[kind]
    x, y = corner
    width, height = label.size
    line_width = 1.8 if kind in ("scope", "input", "output") else 0.9
    rectangle = Rectangle(
        corner, width, height, facecolor=fill, edgecolor="#333333", linewidth=line_width, zorder=3, clip_on=False
    )
    rectangle.set_gid(gid)
    axes.add_patch(rectangle)
    y += _PADDING
    for number, line in enumerate(label.lines):
        text = _write(axes, x + width / 2, y + line.height / 2, line, ink, "center")
        text.set_gid(f"{gid}.{number}")
        y += line.height


def _write(axes: Axes, x: float, y: float, line: _Line, colour: str, align: str) -> Text:
    return axes.text(
        x,
        y,
        line.text,
        size=line.size,
        weight="bold" if line.bold else "normal",
        color=colour,
        ha=align,
        va="center_baseline",
        parse_math=False,
        zorder=4,
    )


def _draw_header(axes: Axes, inspected: Inspected, nodes: int, boxes: int, width: float) -> None:
    found = inspected.summary
    counts = f"{nodes:,} {found.operations_are} in {boxes} boxes, {found.parameters:,} parameters"
    for y, text, size in ((18.0, found.path, 12.0), (36.0, found.what, 9.0), (50.0, counts, 9.0)):
        is_title = text == found.path
        _write(axes, _MARGIN, y, _Line(fitted(text, width, size, is_title), size, is_title), "black", "left")


def _draw_legend(axes: Axes, kinds: Mapping[str, str], has_control: bool) -> None:
    from matplotlib.patches import Rectangle

    x, y = _MARGIN, 71.0
    for kind, name in kinds.items():
        fill = COLOURS[kind][0]
        axes.add_patch(Rectangle((x, y - 5), 16, 10, facecolor=fill, edgecolor="#333333", linewidth=0.9))
        line = _Line(name)
        _write(axes, x + 20, y, line, "black", "left")
        x += 20 + text_width(line.text, line.size) + 14
    if has_control:
        axes.plot([x, x + 22], [y, y], color=EDGE_COLOUR, linewidth=1, linestyle=DASHES)
        _write(axes, x + 26, y, _Line("control edge"), "black", "left")
