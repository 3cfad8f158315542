"""Which boxes a picture has: scopes stay closed until about as many boxes remain as a reader can take in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from soapsvc.authoring.inspect_plot_nodes import Link, Node

MOST_BOXES = 60
_ENDS = 12  # inputs, and outputs, that keep a box of their own: a training graph has dozens of false ends
_MOST_EDGES = 12  # into a box, and out of it
_WORTH_SPLITTING = 0.25  # share of all nodes beyond which a scope with too many parts is cut into runs


@dataclass(frozen=True)
class Box:
    """One or several nodes drawn as one. name: the node's or the scope's path, or what a run of them spans.

    notes: what is said of edges in place of drawing them.
    """

    name: str
    nodes: tuple[Node, ...]
    notes: tuple[str, ...] = ()

    @property
    def single(self) -> Node | None:
        """The node that the box is, None for a box of several."""
        return self.nodes[0] if len(self.nodes) == 1 else None

    @property
    def parameters(self) -> int:
        """How many its nodes store."""
        return sum(node.parameters for node in self.nodes)

    @property
    def operations(self) -> list[tuple[str, int]]:
        """The types of its operations with their number, the most frequent first."""
        return Counter(node.type for node in self.nodes).most_common()


@dataclass(frozen=True)
class Edge:
    """What flows from one box to another. tensors: name -> shape, empty when only control edges join them."""

    source: int
    target: int
    tensors: dict[str, str]


@dataclass(frozen=True)
class _Scope:
    """Nodes that share the first `depth` parts of their names. whole: it stays closed."""

    name: str
    nodes: tuple[Node, ...]
    depth: int
    whole: bool = False


def boxes_of(nodes: Sequence[Node], most: int = MOST_BOXES) -> tuple[list[Box], list[Edge]]:
    """Return at most `most` boxes, and some more when there are many inputs and outputs, with the edges between them.

    Scopes are opened from the outside in. Those with the same operations, as the layers of a deep model, are opened
    together or not at all. A scope with too many parts is cut into runs of them, where they follow each other; the
    graph itself always is.
    """
    ordered = _in_order(nodes)
    ends = [*_some(ordered, "input"), *_some(ordered, "output")]
    kept = {node.name for node in ends}
    inside = tuple(node for node in ordered if node.name not in kept)
    room = max(most - len(ends), most // 2)
    scopes = _opened([_Scope("", inside, 0)] if inside else [], room)
    boxes = [Box(node.name, (node,)) for node in ends] + [Box(_title(scope), scope.nodes) for scope in scopes]
    return _without_hubs(boxes, _edges(boxes))


def _without_hubs(boxes: list[Box], edges: list[Edge]) -> tuple[list[Box], list[Edge]]:
    """Leave out the edges on a box's side that has too many, as a saver's that takes every variable, and note them."""
    taking, feeding = Counter(edge.target for edge in edges), Counter(edge.source for edge in edges)
    noted = []
    for index, box in enumerate(boxes):
        sides = (("takes from", taking[index]), ("feeds", feeding[index]))
        notes = tuple(f"{verb} {number} boxes, not drawn" for verb, number in sides if number > _MOST_EDGES)
        noted.append(replace(box, notes=notes))
    drawn = [edge for edge in edges if max(taking[edge.target], feeding[edge.source]) <= _MOST_EDGES]
    return noted, drawn


def _some(nodes: Iterable[Node], kind: str) -> list[Node]:
    return [node for node in nodes if node.kind == kind][:_ENDS]


def _title(scope: _Scope) -> str:
    return scope.nodes[0].name if len(scope.nodes) == 1 else scope.name


def _opened(scopes: list[_Scope], room: int) -> list[_Scope]:
    total = sum(len(scope.nodes) for scope in scopes)
    while True:
        alike: dict[tuple[object, ...], list[_Scope]] = defaultdict(list)
        for scope in scopes:
            if len(scope.nodes) > 1 and not scope.whole:
                alike[(scope.depth, *sorted(Counter(node.type for node in scope.nodes).items()))].append(scope)
        if not alike:
            return scopes
        group = max(alike.values(), key=lambda each: (len(each[0].nodes), len(each)))
        left = room - len(scopes) + len(group)
        parts = [_parts(scope) for scope in group]
        if sum(map(len, parts)) > left:
            is_large = len(group) == 1 and len(group[0].nodes) > total * _WORTH_SPLITTING and left > 1
            cut = is_large and (not group[0].depth or _is_chain(parts[0]))
            parts = [_runs(parts[0], left)] if cut else [[_closed(scope)] for scope in group]
        opened = {id(scope): part for scope, part in zip(group, parts, strict=True)}
        scopes = [each for scope in scopes for each in opened.get(id(scope), [scope])]


def _is_chain(parts: list[_Scope]) -> bool:
    """Whether the parts follow each other, as layers do; parts side by side would make a picture too wide to read."""
    home = {node.name: index for index, part in enumerate(parts) for node in part.nodes}
    fed = {home[node.name] for part in parts for node in part.nodes for link in node.links if link.source in home}
    return len(fed) > len(parts) / 2


def _closed(scope: _Scope) -> _Scope:
    return _Scope(scope.name, scope.nodes, scope.depth, whole=True)


def _parts(scope: _Scope) -> list[_Scope]:
    """Return what a scope holds directly: scopes and single nodes."""
    found: dict[str, list[Node]] = defaultdict(list)
    for node in scope.nodes:
        found["/".join(node.name.split("/")[: scope.depth + 1])].append(node)
    return [
        _Scope(name, tuple(inside), scope.depth + 1, whole=all(node.name == name for node in inside))
        for name, inside in found.items()
    ]


def _runs(parts: list[_Scope], most: int) -> list[_Scope]:
    """Return at most `most` scopes, each of parts that follow each other."""
    size = -(-len(parts) // most)
    runs = [parts[start : start + size] for start in range(0, len(parts), size)]
    return [
        run[0]
        if len(run) == 1
        else _Scope(
            f"{run[0].name} … {run[-1].name.rsplit('/', 1)[-1]}",
            tuple(node for part in run for node in part.nodes),
            run[0].depth,
            whole=True,
        )
        for run in runs
    ]


def _in_order(nodes: Sequence[Node]) -> list[Node]:
    """Return the nodes so that each stands after what it takes, constants right before their user; loops are cut."""
    by_name = {node.name: node for node in nodes}
    used = {link.source for node in nodes for link in node.links}
    ordered: dict[str, Node] = {}
    begun: set[str] = set()
    waiting = [(node, False) for node in sorted(nodes, key=lambda node: node.name in used)][::-1]
    while waiting:
        node, is_ready = waiting.pop()
        if is_ready:
            ordered.setdefault(node.name, node)
        elif node.name not in begun:
            begun.add(node.name)
            waiting.append((node, True))
            waiting += [(by_name[link.source], False) for link in reversed(node.links)]
    return list(ordered.values())


def _edges(boxes: list[Box]) -> list[Edge]:
    home = {node.name: index for index, box in enumerate(boxes) for node in box.nodes}
    found: dict[tuple[int, int], dict[str, str]] = {}
    for target, link in _links(boxes):
        if home[link.source] != target:
            tensors = found.setdefault((home[link.source], target), {})
            if not link.control:
                tensors[link.tensor] = link.shape
    return [Edge(source, target, tensors) for (source, target), tensors in found.items()]


def _links(boxes: list[Box]) -> Iterator[tuple[int, Link]]:
    for index, box in enumerate(boxes):
        for node in box.nodes:
            yield from ((index, link) for link in node.links)
