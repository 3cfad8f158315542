"""The option `--plot`: a picture of a source's graph, or of its stored tensors."""

from __future__ import annotations

from pathlib import Path

from soapsvc.authoring.inspect_plot_canvas import drawing, save_figure
from soapsvc.authoring.inspect_plot_graph import draw_graph
from soapsvc.authoring.inspect_plot_tensors import draw_tensors
from soapsvc.authoring.inspect_summary import Inspected


def plot(inspected: Inspected, path: Path, file_format: str, of_tensors: bool) -> None:
    """Write a picture to path, of the stored tensors' values or of the graph.

    file_format: svg or png. Raises SourceError when the source has nothing to draw.
    """
    with drawing():
        figure, tooltips = draw_tensors(inspected) if of_tensors else draw_graph(inspected)
        save_figure(figure, path, file_format, inspected.summary.path, tooltips)
