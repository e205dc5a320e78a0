"""A model YAML as a graph: what reads what, at which stride, and how that differs from another model.

It works on what a YAML parser gives and needs no torch. The probe imports it, so it is Python 3.8.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from a2patch.protocol import Layer

IMAGE = -1
"""What the first layer reads."""


class GraphError(ValueError):
    """A description that is no model: a row of another form, or one that reads a layer which comes after it."""


@dataclass(frozen=True)
class Graph:
    """The layers of a model, in order."""

    layers: tuple[Layer, ...]

    def readers(self, index: int) -> list[int]:
        """Return the layers that read a layer."""
        return [i for i, layer in enumerate(self.layers) if index in layer.sources]

    def without(self, kinds: Collection[str]) -> Graph:
        """Return the graph with the layers of some kinds taken out and their readers joined to their source."""
        kept: list[Layer] = []
        index = {IMAGE: IMAGE}
        for i, layer in enumerate(self.layers):
            sources = tuple(index[source] for source in layer.sources)
            if layer.kind in kinds and len(sources) == 1:
                index[i] = sources[0]
            else:
                index[i] = len(kept)
                kept.append(replace(layer, sources=sources))
        return Graph(tuple(kept))

    def describe(self, index: int) -> str:
        """Return a layer as text: its index in the file, its kind, and its stride."""
        if index == IMAGE:
            return "the image"
        layer = self.layers[index]
        at = "" if layer.stride is None else f", stride {layer.stride:g}"
        return f"{layer.place} ({layer.kind}{at})"


@dataclass(frozen=True)
class Rewired:
    """A layer that does not read what the same layer of another model reads.

    Attributes:
        index: The layer, in its own graph.
        sources: What it reads.
        expected: What it would read if it were wired as there, in the numbers of its own graph; None where a source of
            the other layer is missing here.
    """

    index: int
    sources: tuple[int, ...]
    expected: tuple[int, ...] | None


@dataclass(frozen=True)
class Bypass:
    """A layer that reads what stands in front of an added layer, where the other layers read that one.

    Attributes:
        index: The layer, in its own graph.
        source: What it reads.
        added: The last of the layers that were added behind that.
    """

    index: int
    source: int
    added: int


@dataclass(frozen=True)
class Comparison:
    """How one graph differs from another.

    Attributes:
        added: Layers that the other has not.
        removed: Layers of the other that are not here, by its indices.
        rewired: Layers that both have but that read other layers.
        replaced: Layers that stand where the other has one of another kind.
        bypasses: Layers that read what they read there, past a layer that was added behind it.
    """

    added: tuple[int, ...]
    removed: tuple[int, ...]
    rewired: tuple[Rewired, ...]
    replaced: tuple[int, ...] = ()
    bypasses: tuple[Bypass, ...] = ()

    @property
    def distance(self) -> int:
        """How many layers differ."""
        return len(self.added) + len(self.removed) + len(self.rewired) + len(self.replaced)


def read(model: Mapping[str, Any], comments: Sequence[str] = (), strides: Sequence[float | None] = ()) -> Graph:
    """Read a model as a YAML parser gives it.

    Args:
        model: What the file says; `backbone` and `head` are looked at.
        comments: What stands behind each row, where that is known.
        strides: The stride of each layer, where it was measured.

    Raises:
        GraphError: It is no model, or its indices lead nowhere.
    """
    layers: list[Layer] = []
    try:
        rows = [(part, row) for part in ("backbone", "head") for row in model.get(part) or ()]
    except (AttributeError, TypeError) as error:
        raise GraphError("there is no list of layers in it") from error
    for place, (part, row) in enumerate(rows):
        if not isinstance(row, (list, tuple)) or len(row) != 4 or not isinstance(row[2], str):
            raise GraphError(f"row {place} is not [from, repeats, module, args]: {row!r}")
        written = tuple(row[0]) if isinstance(row[0], (list, tuple)) else (row[0],)
        sources = _absolute(written, place)
        kind = row[2].rpartition(".")[2]
        args = tuple(row[3]) if isinstance(row[3], (list, tuple)) else (row[3],)
        stride = strides[place] if place < len(strides) else None
        comment = comments[place] if place < len(comments) else ""
        layers.append(Layer(place, kind, sources, written, args, part, stride, comment))
    if not layers:
        raise GraphError("there is no list of layers in it")
    return Graph(tuple(layers))


def _absolute(written: tuple[Any, ...], place: int) -> tuple[int, ...]:
    """Return sources as absolute indices."""
    sources = []
    for source in written:
        if isinstance(source, bool) or not isinstance(source, int):
            raise GraphError(f"row {place} reads {source!r}, which is no index")
        index = place + source if source < 0 else source
        if not IMAGE <= index < place or (index == IMAGE and place):
            raise GraphError(f"row {place} reads {source}, and there is no such layer before it")
        sources.append(index)
    return tuple(sources)


def compare(mine: Graph, other: Graph) -> Comparison:
    """Compare a graph with another, layer by layer in the order that both have them."""
    kinds = [[layer.kind for layer in graph.layers] for graph in (other, mine)]
    matched: dict[int, int] = {IMAGE: IMAGE}  # of mine, by the other's
    replaced: list[int] = []
    for what, a, b, i, j in SequenceMatcher(None, kinds[0], kinds[1], autojunk=False).get_opcodes():
        if what == "equal" or (what == "replace" and b - a == j - i):
            matched.update(zip(range(a, b), range(i, j)))
            replaced.extend(range(i, j) if what == "replace" else ())
    back = {m: o for o, m in matched.items()}
    seen = dict(back)  # the other's layer whose output a layer of mine stands for
    for i, layer in enumerate(mine.layers):
        if i not in seen and len(set(layer.sources)) == 1 and layer.sources[0] in seen:
            seen[i] = seen[layer.sources[0]]
    rewired = []
    bypasses: list[Bypass] = []
    for o, i in sorted(matched.items()):
        if o == IMAGE:
            continue
        read = [seen.get(s) for s in mine.layers[i].sources]
        if list(dict.fromkeys(read)) == list(dict.fromkeys(other.layers[o].sources)):  # one may be read twice
            ends = [(s, _last(mine, s, back)) for s in mine.layers[i].sources]
            bypasses.extend(Bypass(i, s, end) for s, end in ends if end not in (s, i))
            continue
        known = all(s in matched for s in other.layers[o].sources)
        expected = tuple(_last(mine, matched[s], back) for s in other.layers[o].sources) if known else None
        rewired.append(Rewired(i, mine.layers[i].sources, expected))
    added = tuple(i for i in range(len(mine.layers)) if i not in back)
    removed = tuple(o for o in range(len(other.layers)) if o not in matched)
    return Comparison(added, removed, tuple(rewired), tuple(replaced), tuple(bypasses))


def _last(graph: Graph, index: int, back: Mapping[int, int]) -> int:
    """Return the last of the layers that were added right behind a layer, one after the other, and keep its stride."""
    while index + 1 < len(graph.layers) and index + 1 not in back:
        following = graph.layers[index + 1]
        if following.sources != (index,) or (index != IMAGE and following.stride != graph.layers[index].stride):
            break
        index += 1
    return index


def fingerprint(graph: Graph) -> str:
    """Return what tells a graph from others: its kinds of layers and what each reads, whatever their arguments."""
    wiring = ";".join("{}:{}".format(layer.kind, ",".join(map(str, layer.sources))) for layer in graph.layers)
    return hashlib.sha256(wiring.encode()).hexdigest()[:12]


def closest(mine: Graph, others: Mapping[str, Graph]) -> tuple[str, Comparison] | None:
    """Return the name of the graph that differs least, and how it differs.

    Of several it is the one of which most rows are here with their arguments, as families are wired alike: YOLO11 and
    YOLO26. Of these it is the first by name.
    """
    compared = [(name, compare(mine, graph)) for name, graph in sorted(others.items())]
    return min(compared, key=lambda pair: (pair[1].distance, _missing(mine, others[pair[0]])), default=None)


def _missing(mine: Graph, other: Graph) -> int:
    """Return how many rows of another model are not here with the same arguments."""
    here, there = (Counter((layer.kind, str(layer.args)) for layer in graph.layers) for graph in (mine, other))
    return sum((there - here).values())
