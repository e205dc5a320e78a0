"""Draw a model's graph beside that of its base, as SVG."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2

from a2patch.graph import IMAGE, Comparison, Graph, correction
from a2patch.report.markup import Markup, element, together
from a2patch.runner import Wiring

_ROW, _BOX, _GAP, _LANE, _TOP = 27, 21, 22, 11, 26
_LETTER, _BESIDE, _LEAST = 7, 88, 140  # of a box: a letter of its kind, what stands beside that, and the narrowest
_TIP = 5


def stage(stride: float | None) -> str:
    """Return a stride with its stage, as upstream's comments have it: `P3/8`; empty where it is unknown."""
    if stride is None:
        return ""
    exponent = log2(stride) if stride > 0 else 0.5
    return f"P{exponent:g}/{stride:g}" if exponent.is_integer() and exponent > 0 else f"/{stride:g}"


@dataclass(frozen=True)
class Edge:
    """A connection that is drawn.

    Attributes:
        source: The layer that is read.
        reader: The layer that reads it.
        kind: `plain`, `past` (it goes past an added layer), `wrong` (it should not be there) or `right` (it should, and
            is not).
    """

    source: int
    reader: int
    kind: str = "plain"

    @property
    def straight(self) -> bool:
        """Whether it is drawn straight down, from a layer to the next."""
        return self.reader == self.source + 1 and self.kind == "plain"


@dataclass(frozen=True)
class _Column:
    """A model as a column of boxes.

    Attributes:
        title: Its name.
        graph: Its layers.
        rows: In which row each stands.
        drawn: Its connections.
        outward: The side on which connections run that are not straight: -1 for the left one, 1 for the right one.
    """

    title: str
    graph: Graph
    rows: Mapping[int, int]
    drawn: Sequence[Edge]
    outward: int

    @property
    def width(self) -> float:
        """How wide its boxes are."""
        return max(_LEAST, _BESIDE + _LETTER * max(len(layer.kind) for layer in self.graph.layers))

    @property
    def margin(self) -> float:
        """How much room its connections need at its side."""
        return _LANE * (1.5 + max(self.lanes.values(), default=0))

    @property
    def lanes(self) -> dict[Edge, int]:
        """In which lane at the side each connection runs, the innermost being 1; straight ones have none."""
        lanes: dict[Edge, int] = {}
        taken: list[list[tuple[int, int]]] = []
        for edge in sorted(self.drawn, key=lambda e: (e.reader - e.source, e.source)):
            if edge.straight:
                continue
            start, end = self.rows[edge.source], self.rows[edge.reader]
            free = (k for k, spans in enumerate(taken) if all(end <= a or b <= start for a, b in spans))
            lane = next(free, len(taken))
            if lane == len(taken):
                taken.append([])
            taken[lane].append((start, end))
            lanes[edge] = lane + 1
        return lanes


def edges(wiring: Wiring) -> list[Edge]:
    """Return the connections of a model, those that are wrong, and those that should be in their place."""
    compared = wiring.compared
    rewired = correction(wiring.graph, compared) if compared else {}
    wrong: set[tuple[int, int]] = set()
    right: set[tuple[int, int]] = set()
    for fault in wiring.faults:
        # A base that has lost layers is only the closest model, and no model for what to read.
        to_be_followed = fault.rule == "base" or (compared and not compared.removed)
        now = wiring.graph.layers[fault.index].sources
        wanted = rewired.get(fault.index, ()) if to_be_followed else ()
        if len(now) == len(wanted):
            wrong |= {(source, fault.index) for source in set(now) - set(wanted)}
            right |= {(source, fault.index) for source in set(wanted) - set(now)}
        elif fault.source is not None:
            wrong.add((fault.source, fault.index))
    past = {(bypass.source, bypass.index) for bypass in compared.bypasses} if compared else set()
    kinds = {**dict.fromkeys(past, "past"), **dict.fromkeys(wrong, "wrong")}
    return [
        *(replace(e, kind=kinds.get((e.source, e.reader), e.kind)) for e in _plain(wiring.graph)),
        *(Edge(source, reader, "right") for source, reader in sorted(right) if source != IMAGE),
    ]


def aligned(wiring: Wiring) -> list[tuple[int | None, int | None]]:
    """Return the layers of the base and of the model, row by row: those that are alike stand in one row."""
    compared = wiring.compared
    if compared is None or wiring.base_graph is None:
        return [(None, i) for i in range(len(wiring.graph.layers))]
    rows: list[tuple[int | None, int | None]] = []
    o = i = 0
    while o < len(wiring.base_graph.layers) or i < len(wiring.graph.layers):
        if o in compared.removed:
            rows.append((o, None))
            o += 1
        elif i in compared.added:
            rows.append((None, i))
            i += 1
        else:
            rows.append((o, i))
            o, i = o + 1, i + 1
    return rows


def draw(wiring: Wiring, block_classes: Collection[str]) -> Markup:
    """Return the picture: the base on the left if there is one, the model on the right, matching layers side by side.

    Args:
        wiring: What to draw.
        block_classes: The kinds of layers that the patch brings.
    """
    rows = aligned(wiring)
    drawn = edges(wiring)
    model_rows = {i: row for row, (_, i) in enumerate(rows) if i is not None}
    column = _Column(wiring.model, wiring.graph, model_rows, drawn, 1)
    pieces: list[Markup] = []
    left = 2.0
    if wiring.base_graph:
        base_rows = {o: row for row, (o, _) in enumerate(rows) if o is not None}
        base = _Column(wiring.base, wiring.base_graph, base_rows, _plain(wiring.base_graph), -1)
        left += base.margin
        pieces += [_boxes(base, left, {}), *_connections(base, left)]
        left += base.width + _GAP
    pieces += [_boxes(column, left, _marks(wiring, block_classes)), *_connections(column, left)]
    width = left + column.width + column.margin
    height = _TOP + _ROW * len(rows) + 4
    return element(
        "svg",
        *pieces,
        class_="diagram",
        viewBox=f"0 0 {width:g} {height:g}",
        style=f"max-width:{1.4 * width:.0f}px",
        role="img",
        aria_label=_description(wiring, drawn),
    )


def _description(wiring: Wiring, drawn: Iterable[Edge]) -> str:
    """Return the picture in a sentence, for those who can't see it."""
    wrong = [f"layer {e.reader} reads {e.source}" for e in drawn if e.kind == "wrong"]
    past = "".join(f"; layer {e.reader} reads {e.source}, past what was added" for e in drawn if e.kind == "past")
    base = f" beside those of {wiring.base}" if wiring.base else ""
    return f"The {len(wiring.graph.layers)} layers of {wiring.model}{base}; " + (
        f"wrong: {', '.join(wrong)}." if wrong else f"no connection is wrong{past}."
    )


def _marks(wiring: Wiring, block_classes: Collection[str]) -> dict[int, str]:
    """Return how each layer of the model is marked, as classes."""
    compared = wiring.compared or Comparison((), (), ())
    at_fault = {fault.index for fault in wiring.faults}
    marks = {}
    for i, layer in enumerate(wiring.graph.layers):
        new = "ours" if layer.kind in block_classes else "added" if i in (*compared.added, *compared.replaced) else ""
        marks[i] = f"{new} fault".strip() if i in at_fault else new
    return marks


def _plain(graph: Graph) -> list[Edge]:
    return [Edge(s, i) for i, layer in enumerate(graph.layers) for s in dict.fromkeys(layer.sources) if s != IMAGE]


def _middle(row: int) -> float:
    return _TOP + _ROW * row + _BOX / 2


def _boxes(column: _Column, left: float, marks: Mapping[int, str]) -> Markup:
    """Return the boxes of a model under its name."""
    width, longest = column.width, int(column.width / _LETTER)
    title = column.title if len(column.title) <= longest else f"{column.title[: longest - 1]}…"
    boxes = [element("text", title, x=left, y=14, class_="title")]
    for i, row in column.rows.items():
        layer, mark, y = column.graph.layers[i], marks.get(i, ""), _middle(row)
        sign = "✕" if "fault" in mark else "+" if mark else ""
        end: dict[str, str | float] = {"x": left + width - 5, "y": y + 4, "text_anchor": "end", "class_": "place"}
        inside = (
            element("rect", x=left, y=y - _BOX / 2, width=width, height=_BOX, rx=4),
            element("text", str(layer.place), **{**end, "x": left + 20}),
            element("text", layer.kind, x=left + 26, y=y + 4),
            element("text", f"{sign} {stage(layer.stride)}".strip(), **end),
        )
        boxes.append(element("g", *inside, class_=f"layer {mark}".strip()))
    return together(*boxes)


def _connections(column: _Column, left: float) -> Iterator[Markup]:
    """Yield the connections of a column: straight down its middle, or round its side; the wrong ones on top."""
    lanes, outward = column.lanes, column.outward
    side = left + (column.width if outward > 0 else 0)
    for edge in sorted(column.drawn, key=lambda e: ("plain", "past", "right", "wrong").index(e.kind)):
        start, end = _middle(column.rows[edge.source]), _middle(column.rows[edge.reader])
        if edge.straight:
            x = left + column.width / 2
            yield element("path", d=f"M{x:g} {start + _BOX / 2:g}V{end - _BOX / 2:g}", class_="edge")
            continue
        start, end = start + 4, end - 4
        reach, bend = outward * _LANE * lanes[edge], outward * 5
        way = f"M{side:g} {start:g}h{reach - bend:g}q{bend:g} 0 {bend:g} 5V{end - 5:g}"
        way += f"q0 5 {-bend:g} 5H{side + outward * _TIP:g}"
        tip = f"M{side:g} {end:g}l{outward * _TIP * 1.4:g} -3.5v7z"
        pieces = [element("path", d=way, class_="edge"), element("path", d=tip, class_="tip")]
        if edge.kind == "wrong":
            pieces.append(element("text", "✕", x=side + reach, y=(start + end) / 2 + 4, text_anchor="middle"))
        yield element("g", *pieces, class_=edge.kind)
