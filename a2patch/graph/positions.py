"""Where in a model the block can go: positions as they are typed, and the layers that they mean.

Whatever a position is called, the block goes right behind a layer and takes its place for all its readers, those that
name it by its index as well as the one that follows it.

The probe imports it, so it is Python 3.8.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from a2patch.graph.model import Graph

FORMS = "P2 to P6, sppf, neck:P2 to neck:P6, detect, or after:N for a layer's index N"

_LEVELS = range(2, 7)
_POOLING = frozenset({"SPP", "SPPF", "SPPELAN"})
_TYPED = re.compile(
    r"(?:(?P<part>neck:)?p(?P<level>[2-6])|(?P<name>sppf|detect)|after:(?P<index>\d{1,9}))", re.IGNORECASE
)


class PositionError(ValueError):
    """A position that means nothing, or that a model does not have."""


@dataclass(frozen=True)
class Position:
    """A position as its user names it.

    Attributes:
        kind: `stage` (the last layer of the backbone at a stride), `neck` (the map of a stride that the head reads from
            the neck), `sppf` (the spatial pyramid pooling), `detect` (every map that the head reads) or `after`.
        number: The level of the pyramid, whose stride is 2 to its power, or the index of a layer.
    """

    kind: str
    number: int = 0

    @property
    def name(self) -> str:
        """The position as it is typed, such as `neck:P4`."""
        names = {"stage": f"P{self.number}", "neck": f"neck:P{self.number}", "after": f"after:{self.number}"}
        return names.get(self.kind, self.kind)

    @property
    def label(self) -> str:
        """The position as a part of a file name, such as `neckp4`."""
        return self.name.replace(":", "").lower()


def parse(text: str) -> Position:
    """Read a position as it is typed.

    Raises:
        PositionError: It is none.
    """
    typed = _TYPED.fullmatch(text)
    if not typed:
        raise PositionError(f"{text[:40]!r} is no position; those are {FORMS}")
    if typed["name"]:
        return Position(typed["name"].lower())
    if typed["index"]:
        return Position("after", int(typed["index"]))
    return Position("neck" if typed["part"] else "stage", int(typed["level"]))


def file_name(stem: str, positions: Sequence[Position], tag: str = "A2") -> str:
    """Return what to call a model with our blocks at some positions: `yolov8` at P3 and P4 is `yolov8_A2-p3p4.yaml`.

    A letter of a scale right behind a digit would be taken for the scale that the name asks for, so only stages, whose
    letter is none, are written without a dash between them.

    Args:
        stem: The name of the model that it is made from, without its ending.
        positions: Where rows went.
        tag: What stands for the block.
    """
    labels = "-".join(position.label for position in positions)
    return f"{stem}_{tag}-{re.sub(r'(?<=p[2-6])-(?=p[2-6])', '', labels)}.yaml"


def layers(positions: Sequence[Position], graph: Graph, maps: Collection[int], added: Collection[str]) -> list[int]:
    """Return the layers that positions mean, in the order of the model.

    Args:
        positions: The positions.
        graph: The model.
        maps: The layers whose output is one map, `(B, C, H, W)`.
        added: The kinds of layers that are put in here.

    Raises:
        PositionError: The model does not have one of them, or two mean the same layer.
    """
    meant: dict[int, Position] = {}
    for position in positions:
        for index in _meant(position, graph, maps, added):
            if index in meant:
                names = sorted({meant[index].name, position.name})
                raise PositionError(f"{' and '.join(names)} mean layer {graph.describe(index)} twice; name it once")
            meant[index] = position
    return sorted(meant)


def available(graph: Graph, maps: Collection[int], added: Collection[str]) -> dict[Position, tuple[int, ...]]:
    """Return the positions with a name that a model has and that are free, with the layers that they mean.

    Of two that mean the same layers, only the first is returned.
    """
    named = [Position("stage", level) for level in _LEVELS] + [Position("sppf")]
    named += [Position("neck", level) for level in _LEVELS] + [Position("detect")]
    found: dict[tuple[int, ...], Position] = {}
    for position in named:
        try:
            found.setdefault(tuple(layers([position], graph, maps, added)), position)
        except PositionError:
            continue
    return {position: indices for indices, position in found.items()}


def _meant(position: Position, graph: Graph, maps: Collection[int], added: Collection[str]) -> list[int]:
    """Return the layers that a position means, each of which must give one map and, but for an index, be free."""
    if position.kind == "after":
        return [_checked(position, graph, maps)]
    places = _PLACES[position.kind](graph, maps)
    found = places.get(position.number, [])
    if not found:
        has = ", ".join(Position(position.kind, number).name for number in sorted(places))
        raise PositionError(f"the model has no {position.name}{'; it has ' + has if has else ''}")
    for index in found:
        if index not in maps:
            raise PositionError(_no_map(graph, index))
        taken = [i for i in (index, *graph.readers(index)) if graph.layers[i].kind in added]
        if taken:
            raise PositionError(
                f"{position.name} has our layer {graph.describe(taken[0])} already; "
                "take it out with --remove first, or name another layer with after:N"
            )
    return found


def _checked(position: Position, graph: Graph, maps: Collection[int]) -> int:
    """Return the index that a position names, if a block can follow that layer."""
    last = len(graph.layers) - 1
    if position.number > last:
        raise PositionError(f"the model has no layer {position.number}; its last one is {last}")
    if position.number == last:
        raise PositionError(f"layer {graph.describe(last)} is the head; nothing reads what comes after it")
    if position.number not in maps:
        raise PositionError(_no_map(graph, position.number))
    return position.number


def _no_map(graph: Graph, index: int) -> str:
    return f"layer {graph.describe(index)} gives no single map (B, C, H, W), which our block needs"


def _stages(graph: Graph, maps: Collection[int]) -> Mapping[int, list[int]]:
    """Return the last layer of the backbone at each level."""
    backbone = [i for i in maps if graph.layers[i].part == "backbone"]
    return {level: [i] for i in sorted(backbone) for level in _LEVELS if graph.layers[i].stride == 2**level}


def _necks(graph: Graph, maps: Collection[int]) -> Mapping[int, list[int]]:
    """Return the layers of the neck that the head reads, by level."""
    read = [i for i in graph.layers[-1].sources if graph.layers[i].part == "head"]
    return {level: [i] for i in read for level in _LEVELS if graph.layers[i].stride == 2**level}


def _pooling(graph: Graph, maps: Collection[int]) -> Mapping[int, list[int]]:
    """Return the spatial pyramid pooling, if there is one."""
    found = [i for i, layer in enumerate(graph.layers) if layer.kind in _POOLING]
    return {0: found} if found else {}


def _read(graph: Graph, maps: Collection[int]) -> Mapping[int, list[int]]:
    """Return every layer that the head reads."""
    return {0: list(graph.layers[-1].sources)}


_PLACES = {"stage": _stages, "neck": _necks, "sppf": _pooling, "detect": _read}
