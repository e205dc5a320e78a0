"""The model of a tree that ours are made from: is it as upstream's? If not, ours made from the tree's own."""

from __future__ import annotations

import re
from typing import NamedTuple

from a2patch.block import BASE, BLOCK, CLASSES, LATER, LAYER
from a2patch.graph import Graph, GraphError, InsertionError, insert, marked, read_text, remove

_SCALE = re.compile(r"^[ \t]+[\"']?(\w+)[\"']?[ \t]*:[ \t]*\[([^\]\n]*)\]", re.MULTILINE)
_KEY = re.compile(r"^[\"']?(\w+)[\"']?[ \t]*:[ \t]*([^\s#\[{][^#\n]*)", re.MULTILINE)


class _Rows(NamedTuple):
    """Which rows one of our files has, behind which layers of its base."""

    base: str
    after: tuple[int, ...]
    kind: str
    args: str


# Behind the last layers of the stages P3 and P4, or P2.
_ROWS = {
    "yolov8_A2.yaml": _Rows(BASE, (4, 6), BLOCK, "0.25"),
    "yolov8_DANet.yaml": _Rows(BASE, (2,), LAYER, "128, 1"),
    **{model.name: _Rows(model.base_name, (4, 6), BLOCK, "0.25") for model in LATER},
}
# The layers that halve the map in the backbone of each of these; the stages end right before the next.
_HALVING = (0, 1, 3, 5, 7)


class _Form(NamedTuple):
    """What a model file says, its comments and ways of writing aside."""

    keys: tuple[tuple[str, str], ...]
    scales: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[int, ...], str], ...]


def alike(added: str, base: str) -> bool:
    """Return whether one of our files is the base of a tree with our rows put in, and nothing else.

    Args:
        added: One of our files, as upstream's base leads to it.
        base: The tree's own model of that family.
    """
    try:
        return _form(remove(added, read_text(added), CLASSES)) == _form(base)
    except (GraphError, InsertionError):
        return False


def made_from(base: str, name: str) -> str | None:
    """Return one of our files made from the base of a tree; None where that has no stages as upstream's has them.

    Args:
        base: The tree's own model of that family.
        name: What to call our file.
    """
    rows = _ROWS[name]
    try:
        graph = read_text(base)
        if not _has_stages(graph):
            return None
        made = insert(base, graph, rows.after, rows.kind, rows.args)
        return marked(made, rows.base, rows.kind, rows.after)
    except (GraphError, InsertionError):
        return None


def _has_stages(graph: Graph) -> bool:
    """Return whether the backbone is a chain whose map is halved where that of upstream's is."""
    backbone = [layer for layer in graph.layers if layer.part == "backbone"]
    chained = all(layer.sources == (layer.place - 1,) for layer in backbone)
    stem = max(_HALVING) + 1
    return (
        chained
        and len(backbone) >= stem
        and all((layer.kind == backbone[0].kind) == (layer.place in _HALVING) for layer in backbone[:stem])
    )


def _form(text: str) -> _Form:
    keys = tuple(sorted((key, value.strip()) for key, value in _KEY.findall(text)))
    scales = tuple((scale, re.sub(r"\s", "", factors)) for scale, factors in _SCALE.findall(text))
    rows = tuple(
        (layer.kind, layer.sources, re.sub(r"[\s\"']|nn\.", "", "".join(map(str, layer.args))))
        for layer in read_text(text).layers
    )
    return _Form(keys, scales, rows)
