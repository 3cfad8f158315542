"""`inspect --plot` draws graphs and stored tensors so that they can be read: what a reader sees is measured."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from lxml import etree
from PIL import Image

from soapsvc.authoring.inspect_command import add_inspect_parser
from soapsvc.authoring.inspect_plot_canvas import plot_format, text_width
from soapsvc.authoring.inspect_plot_graph import COLOURS
from soapsvc.authoring.inspect_plot_scopes import MOST_BOXES
from soapsvc.authoring.source import SourceError
from tests.conftest import ROOT

t = tf.compat.v1
SVG = "{http://www.w3.org/2000/svg}"
pytestmark = [  # Keras's own, while it writes the sources
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file"),
]


@dataclass(frozen=True)
class Words:
    """A piece of text in a picture, with the rectangle that DejaVu Sans, wider than most fonts, needs for it."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Drawn:
    """A box or a histogram of a picture."""

    left: float
    top: float
    right: float
    bottom: float
    fill: str
    words: tuple[Words, ...]
    tooltip: str

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.words]


@dataclass(frozen=True)
class Picture:
    size: tuple[float, float]
    boxes: tuple[Drawn, ...]
    edges: tuple[str, ...]
    words: tuple[Words, ...]
    dashed: int

    def box(self, name: str) -> Drawn:
        return next(box for box in self.boxes if name in box.texts)

    @property
    def text(self) -> str:
        return "\n".join(each.text for each in self.words)


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    add_inspect_parser(parser.add_subparsers())
    options = parser.parse_args(["inspect", *map(str, arguments)])
    code: int = options.run(options)
    return code


def words_of(element: etree._Element) -> Words:
    style = element.get("style", "")
    size = float(re.search(r"([\d.]+)px", style)[1])
    moved = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", element.get("transform", ""))
    x, y = map(float, moved.groups() if moved else (element.get("x"), element.get("y")))
    width = text_width(element.text, size, "700" in style)
    anchor = re.search(r"text-anchor: (\w+)|$", style)[1] or "start"
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return Words(element.text, left, y - 0.76 * size, left + width, y + 0.24 * size)


def drawn_of(group: etree._Element) -> Drawn:
    path = group.find(f"{SVG}path")
    corners = np.array(re.findall(r"([-\d.]+) ([-\d.]+)", path.get("d")), float)
    fill = re.search(r"fill: (#\w+)", path.get("style"))[1]
    words = tuple(words_of(text) for text in group.iter(f"{SVG}text"))
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    return Drawn(left, top, right, bottom, fill, words, group.find(f"{SVG}title").text)


def picture(path: Path) -> Picture:
    """Read an SVG as any XML reader would: without a DTD, without the network."""
    root = etree.fromstring(path.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True))
    groups = {group.get("id", ""): group for group in root.iter(f"{SVG}g")}
    edges = [group for name, group in groups.items() if name.startswith("edge")]
    return Picture(
        (float(root.get("width").removesuffix("pt")), float(root.get("height").removesuffix("pt"))),
        tuple(drawn_of(group) for name, group in groups.items() if re.fullmatch(r"box\d+", name)),
        tuple(group.find(f"{SVG}title").text for group in edges),
        tuple(words_of(text) for text in root.iter(f"{SVG}text")),
        sum("stroke-dasharray" in group.find(f"{SVG}path").get("style") for group in edges),
    )


def plotted(folder: Path, source: Path, *options: str) -> Picture:
    assert run(source, "--plot", folder / "drawn.svg", *options) == 0
    return picture(folder / "drawn.svg")


def assert_readable(found: Picture) -> None:
    """Everything is on the canvas, no box overlaps another, no words lie on other words, and all fit their boxes."""
    width, height = found.size
    for each in (*found.boxes, *found.words):
        assert each.left >= 0
        assert each.top >= 0
        assert each.right <= width
        assert each.bottom <= height
    assert [(a.texts, b.texts) for a, b in combinations(found.boxes, 2) if overlap(a, b)] == []
    assert [(a, b) for a, b in combinations(found.words, 2) if overlap(a, b)] == []
    for box in found.boxes:
        for words in box.words:
            assert words.left >= box.left
            assert words.right <= box.right
            assert words.top >= box.top
            assert words.bottom <= box.bottom


def overlap(a: Drawn | Words, b: Drawn | Words) -> bool:
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


def write_graph(folder: Path, graph: tf.Graph) -> Path:
    tf.io.write_graph(graph.as_graph_def(), str(folder), "graph.pb", as_text=False)
    return folder / "graph.pb"


def residual_network(folder: Path, blocks: int) -> Path:
    """A graph of nested scopes, some 17 nodes for each block; every block adds what went in."""
    with tf.Graph().as_default() as graph:
        x = t.placeholder(tf.float32, [None, 8, 8, 4], "image")
        for block in range(blocks):
            with t.name_scope(f"stage_{block // 10}/"), t.name_scope(f"block_{block % 10}"):
                before = x
                for conv in ("first", "second"):
                    with t.name_scope(conv):
                        kernel = t.constant(np.full((3, 3, 4, 4), 0.1, np.float32), name="kernel")
                        x = t.nn.conv2d(x, kernel, 1, "SAME", name="conv")
                        x = t.nn.bias_add(x, t.constant([0.0] * 4, name="bias"), name="add_bias")
                        x = tf.multiply(x, tf.constant(2.0, name="two"), name="scale")
                        x = t.nn.relu(x, name="relu")
                x = tf.add(x, before, name="sum")
        with t.name_scope("head"):
            x = tf.matmul(tf.reshape(x, [-1, 256]), t.constant(np.ones((256, 3), np.float32)), name="logits")
        tf.nn.softmax(x, name="probabilities")
        return write_graph(folder, graph)


# Graphs


@pytest.mark.parametrize(
    ("model", "inputs", "outputs"),
    [("iris", ["features"], ["probabilities"]), ("language", ["text"], ["probabilities"])],
)
def test_bundled_model_is_drawn_readably(model: str, inputs: list[str], outputs: list[str], tmp_path: Path) -> None:
    found = plotted(tmp_path, ROOT / "models" / model / "1")
    assert_readable(found)
    assert len(found.boxes) <= MOST_BOXES
    assert [found.box(name).fill.upper() for name in inputs] == [COLOURS["input"][0]]
    assert [found.box(name).fill.upper() for name in outputs] == [COLOURS["output"][0]]
    assert f"models/{model}/1" in found.text
    assert f"model folder: {model}" in found.text


def test_small_graph_shows_every_node_with_type_shape_and_parameters(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = t.placeholder(tf.float32, [None, 3], "x")
        with t.name_scope("dense"):
            product = tf.matmul(x, t.constant(np.ones((3, 2), np.float32), name="kernel"), name="product")
        with t.control_dependencies([tf.no_op("ready")]):
            tf.nn.softmax(product, name="probabilities")
        found = plotted(tmp_path, write_graph(tmp_path, graph))
    assert_readable(found)
    assert found.box("x").texts == ["x", "input: Placeholder", "[?, 3]"]
    assert found.box("product").texts == ["dense/", "product", "MatMul", "[?, 2]"]
    assert found.box("kernel").texts == ["dense/", "kernel", "Const", "[3, 2]", "6 parameters"]
    assert found.box("probabilities").texts == ["probabilities", "output: Softmax", "[?, 2]"]
    assert set(found.edges) == {
        "x → dense/product\nx:0 [?, 3]",
        "dense/kernel → dense/product\ndense/kernel:0 [3, 2]",
        "dense/product → probabilities\ndense/product:0 [?, 2]",
        "ready → probabilities\ncontrol edge",
    }
    assert found.box("ready").texts == ["ready", "NoOp"]
    assert found.dashed == 1
    assert found.box("product").top > found.box("x").bottom  # the flow is from top to bottom
    assert "5 operations in 5 boxes, 6 parameters" in found.text


@pytest.mark.parametrize(("blocks", "least"), [(67, 1_000), (334, 5_000)])
def test_large_graph_is_closed_to_a_readable_number_of_boxes(blocks: int, least: int, tmp_path: Path) -> None:
    found = plotted(tmp_path, residual_network(tmp_path, blocks))
    counts = re.search(r"([\d,]+) operations in (\d+) boxes", found.text)
    assert int(counts[1].replace(",", "")) >= least
    assert 15 <= len(found.boxes) <= MOST_BOXES
    assert int(counts[2]) == len(found.boxes)
    assert_readable(found)
    assert found.box("image").fill.upper() == COLOURS["input"][0]
    assert found.box("probabilities").fill.upper() == COLOURS["output"][0]
    total = sum(int(n.replace(",", "")) for n in re.findall(r"([\d,]+) parameters$", boxed_text(found), re.MULTILINE))
    assert total == blocks * 2 * (144 + 4) + 256 * 3
    scopes = [box for box in found.boxes if box.fill.upper() == COLOURS["scope"][0]]
    assert any("Conv2D x " in text for box in scopes for text in box.texts)
    assert all("and " in box.tooltip and " more" in box.tooltip for box in scopes if nodes_in(box) > 40)


def boxed_text(found: Picture) -> str:
    return "\n".join(text for box in found.boxes for text in box.texts)


def nodes_in(box: Drawn) -> int:
    return int(re.search(r"([\d,]+) nodes", "\n".join(box.texts))[1].replace(",", ""))


def test_scopes_with_the_same_operations_are_opened_together(tmp_path: Path) -> None:
    found = plotted(tmp_path, residual_network(tmp_path, 67))
    blocks = [box for box in found.boxes if any(re.fullmatch(r"block_\d", text) for text in box.texts)]
    assert len(blocks) in (0, 7, 60, 67)  # ten in each of six stages, 7 in the last


def test_long_chain_without_scopes_is_cut_into_runs(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = t.placeholder(tf.float32, [None], "x")
        for number in range(200):
            x = tf.abs(x, name=f"abs_{number}")
        found = plotted(tmp_path, write_graph(tmp_path, graph))
    assert_readable(found)
    assert 40 <= len(found.boxes) <= MOST_BOXES
    assert found.box("abs_0 … abs_3").texts[1:] == ["Abs x 4", "4 nodes"]
    assert found.box("abs_199").texts[1] == "output: Abs"


def test_several_tensors_between_two_scopes_are_counted_on_a_wider_edge(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = t.placeholder(tf.float32, [None], "x")
        with t.name_scope("many"):
            ends = [tf.abs(x, name=f"abs_{number}") for number in range(100)]
        with t.name_scope("join"):
            total = tf.add_n(ends)
            for number in range(100):
                total = tf.abs(total, name=f"abs_{number}")
        found = plotted(tmp_path, write_graph(tmp_path, graph))
    assert_readable(found)
    assert any(re.fullmatch(r"\d+ tensors", words.text) for words in found.words)


def test_edges_of_a_hub_are_told_and_not_drawn(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = t.placeholder(tf.float32, [None], "x")
        tf.add_n([tf.abs(x, name=f"abs_{number}") for number in range(30)], name="total")
        found = plotted(tmp_path, write_graph(tmp_path, graph))
    assert_readable(found)
    assert found.edges == ()
    assert found.box("x").texts[-1] == "feeds 30 boxes, not drawn"
    assert found.box("total").texts[-1] == "takes from 30 boxes, not drawn"
    assert found.size[0] < 1600


def test_loop_and_function_are_drawn_with_their_functions_names(tmp_path: Path) -> None:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def call(x: tf.Tensor) -> tf.Tensor:
        return tf.while_loop(lambda y: tf.reduce_sum(y) < 10, lambda y: (y * 2 + 1,), [x])[0]

    graph = call.get_concrete_function().graph
    path = write_graph(tmp_path, graph)
    found = plotted(tmp_path, path)
    assert_readable(found)
    loop = found.box("while")
    assert loop.texts[-1].endswith("more outputs")
    assert loop.fill.upper() == COLOURS["function"][0]
    assert sum(text.startswith("calls while_") for text in loop.texts) == 2
    assert "AddV2" in loop.tooltip


def test_saved_model_shows_what_its_functions_compute(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((8, 8, 1), name="x"), keras.layers.Conv2D(2, 3), keras.layers.Flatten()])
    model.export(tmp_path / "saved", verbose=False)
    found = plotted(tmp_path, tmp_path / "saved")
    assert_readable(found)
    call = found.box("StatefulPartitionedCall")
    assert any(text.startswith("calls __inference_") for text in call.texts)
    assert "Conv2D" in call.tooltip  # two calls further in


def test_loop_of_tf1_is_drawn_with_its_way_back(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        t.disable_control_flow_v2()
        try:
            x = t.placeholder(tf.float32, [None], "x")
            t.while_loop(lambda y: tf.reduce_sum(y) < 10, lambda y: y * 2, [x])
        finally:
            t.enable_control_flow_v2()
        found = plotted(tmp_path, write_graph(tmp_path, graph))
    assert_readable(found)
    assert any(edge.startswith("while/NextIteration → while/Merge\n") for edge in found.edges)


def test_names_and_shapes_of_other_scripts_stay_text(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,), name="x"), keras.layers.Dense(2, name="schöne_$ebene$_形")])
    model.save(tmp_path / "m.keras")
    found = plotted(tmp_path, tmp_path / "m.keras")
    assert found.box("schöne_$ebene$_形").texts[1] == "output: Dense"


# Other sources


def functional() -> keras.Model:
    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(4, name="first"), keras.layers.Dense(4, name="second")], name="inner"
    )
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    both = keras.layers.Add(name="both")([inner(left), right])
    return keras.Model([left, right], [keras.layers.Dense(2, name="a")(both), keras.layers.Dense(3, name="b")(both)])


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_keras_file_is_drawn_by_its_layers(name: str, tmp_path: Path) -> None:
    functional().save(tmp_path / name)
    found = plotted(tmp_path, tmp_path / name)
    assert_readable(found)
    assert found.box("left").texts[1:] == ["input: InputLayer", "[?, 4]"]
    assert found.box("right").texts[1] == "input: InputLayer"
    assert found.box("a").texts[1] == "output: Dense"
    assert "10 parameters" in found.box("a").texts
    ends = {each.split("\n")[0] for each in found.edges}
    assert {"inner/first → inner/second", "inner/second → both", "right → both", "both → a", "both → b"} <= ends
    assert "layers in" in found.text


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TF1 checkpoint with 70 variables, one of them with NaN and infinity, and its graph."""
    folder = tmp_path_factory.mktemp("checkpoint")
    with tf.Graph().as_default(), t.Session() as session:
        x = t.placeholder(tf.float32, [None, 3], "x")
        for number in range(69):
            with t.variable_scope(f"layer_{number}"):
                kernel = t.get_variable("w", initializer=np.random.default_rng(number).normal(size=(3, 3)).astype("f"))
                x = tf.matmul(x, kernel, name="product")
        t.get_variable("broken", initializer=np.array([np.nan, np.inf, 0.0, 2.0] * 5, np.float32))
        tf.nn.softmax(x, name="probabilities")
        session.run(t.global_variables_initializer())
        t.train.Saver().save(session, str(folder / "model"))
        t.train.Saver().save(session, str(folder / "bare" / "model"), write_meta_graph=False)
    return folder


def test_checkpoint_with_its_graph_is_drawn_with_its_variables(checkpoint: Path, tmp_path: Path) -> None:
    found = plotted(tmp_path, checkpoint / "model")
    assert_readable(found)
    assert len(found.boxes) <= MOST_BOXES
    assert found.size[0] < 1600  # the saver, which takes every variable, does not spread it
    assert found.box("probabilities").fill.upper() == COLOURS["output"][0]
    total = sum(int(n.replace(",", "")) for n in re.findall(r"([\d,]+) parameters$", boxed_text(found), re.MULTILINE))
    assert total == 69 * 9 + 20


def test_checkpoint_without_graph_says_what_can_be_drawn(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no graph in a TF1 checkpoint without a graph; with --tensors it draws"):
        run(checkpoint / "bare" / "model", "--plot", tmp_path / "drawn.svg")
    assert list(tmp_path.iterdir()) == []
    assert run(checkpoint / "bare" / "model", "--tensors", "--plot", tmp_path / "drawn.svg") == 0


# Tensors


def test_histograms_tell_the_largest_tensors_and_how_many_are_left_out(checkpoint: Path, tmp_path: Path) -> None:
    found = plotted(tmp_path, checkpoint / "model", "--tensors")
    names = [words.text for words in found.words if words.text == "broken" or words.text.endswith("/w")]
    assert len(names) == 60
    assert "the 60 largest of 70 stored tensors; left out: 10 smaller ones with 90 values" in found.text
    assert "min 0, mean 1, max 2" in found.text  # of what is finite
    assert "zeros 50.0%" in found.text
    assert "5 NaN, 5 infinite" in found.text
    width, height = found.size
    assert all(words.left >= 0 and words.right <= width and 0 <= words.top <= height for words in found.words)
    assert [(a, b) for a, b in combinations(found.words, 2) if overlap(a, b)] == []


def test_odd_tensors_have_words_in_place_of_a_histogram(tmp_path: Path) -> None:
    with tf.Graph().as_default(), t.Session() as session:
        t.get_variable("empty", initializer=np.zeros((0, 3), np.float32))
        t.get_variable("nothing", initializer=np.array([np.nan], np.float32))
        t.get_variable("near", initializer=np.array([1.0, np.nextafter(1.0, 2.0)]))
        t.get_variable("far", initializer=np.array([-1.7e308, 1.7e308]))
        t.get_variable("words", initializer=np.array(["a"]))
        t.get_variable("flags", initializer=np.array([True, False]))
        t.get_variable("waves", initializer=np.array([3 + 4j], np.complex64))
        session.run(t.global_variables_initializer())
        t.train.Saver().save(session, str(tmp_path / "model"))
    found = plotted(tmp_path, tmp_path / "model", "--tensors")
    assert "no values" in found.text
    assert "no finite values" in found.text
    assert "1 NaN" in found.text
    assert found.text.count("no histogram: too near or too far apart") == 2
    assert "min 5, mean 5, max 5" in found.text
    assert "left out: 1 of strings" in found.text


# Files


@pytest.mark.parametrize("options", [(), ("--tensors",)])
def test_png_has_the_size_and_colours_of_a_picture(options: tuple[str, ...], tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.png"
    assert run(ROOT / "models" / "iris" / "1", "--plot", drawn, *options) == 0
    with Image.open(drawn) as image:
        assert image.format == "PNG"
        assert image.width > 1000
        assert image.height > 500
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 24)}
    assert tuple(bytes.fromhex("0072B2")) in colours
    assert (255, 255, 255) in colours


def test_svg_is_the_same_each_time_and_names_no_other_file(tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.svg"
    contents = []
    for _ in range(2):
        run(ROOT / "models" / "iris" / "1", "--plot", drawn)  # the second replaces the first
        contents.append(drawn.read_bytes())
    assert contents[0] == contents[1]
    assert b"<!DOCTYPE" not in contents[0]
    root = etree.fromstring(contents[0])
    assert not {"script", "image", "metadata"} & {etree.QName(element).localname for element in root.iter()}
    assert all(value.startswith("#") for value in root.xpath("//@*[local-name() = 'href']"))
    assert re.findall(rb"url\((?!#)", contents[0]) == []
    assert [path.name for path in tmp_path.iterdir()] == ["drawn.svg"]


@pytest.mark.parametrize(("name", "came"), [("drawn.pdf", "in .pdf"), ("drawn", "in nothing")])
def test_another_suffix_is_refused_before_anything_is_read(name: str, came: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=rf"expected a file that ends in .svg or .png, not {came}"):
        run(ROOT / "models" / "iris" / "1", "--plot", tmp_path / name)


def test_missing_library_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SourceError, match=r"--plot needs matplotlib: pip install 'soapsvc\[plot\]'"):
        plot_format(Path("drawn.svg"))


def test_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"can't be written: No such file"):
        run(ROOT / "models" / "iris" / "1", "--plot", tmp_path / "none" / "drawn.svg")


def test_adding_the_command_imports_no_drawing_library() -> None:
    code = (
        "import argparse, sys; from soapsvc.authoring.inspect_command import add_inspect_parser; "
        "add_inspect_parser(argparse.ArgumentParser().add_subparsers()); "
        "assert not {'matplotlib', 'fast_sugiyama'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_kinds_differ_in_lightness_too() -> None:
    def luminance(colour: str) -> float:
        red, green, blue = ((part / 255) ** 2.2 for part in bytes.fromhex(colour.removeprefix("#")))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    grey = sorted(116 * luminance(fill) ** (1 / 3) - 16 for fill, _ in COLOURS.values())  # CIE L*, 0 to 100
    assert all(lighter - darker > 5 for darker, lighter in pairwise(grey))
