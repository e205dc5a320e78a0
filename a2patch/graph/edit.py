"""Put rows into the text of a model YAML, or take them out; all else but the indices stays to the byte.

An index counts layers, so each row put in moves those behind it: of a row's sources the absolute ones move with the
layer that they name, the relative ones only where they reach across a new row, and the number in the comment behind a
row is that of its layer. A number that was another already stays; where it is right by chance once rows are put in, the
comment says so (`# 7-P3/8 [was 7]`), or it could not be told from one that moved when they are taken out again.

The probe imports it, so it is Python 3.8.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from a2patch.graph.lint import LABEL
from a2patch.graph.model import IMAGE, Graph
from a2patch.graph.text import BREAKS, row_lines, text_lines
from a2patch.protocol import Layer


class InsertionError(ValueError):
    """A model file whose rows can't be changed as text."""


@dataclass(frozen=True)
class _Moved:
    """Where the layers of a model are after a change.

    Attributes:
        places: The new index of each layer that stays, by its old one.
        outputs: The new index of the layer whose output stands for that of an old one.
    """

    places: Mapping[int, int]
    outputs: Mapping[int, int]


@dataclass(frozen=True)
class _Row:
    """A line that holds one row, in its parts.

    Attributes:
        number: The index of the line.
        prefix: What stands before the row: a dash in block style, maybe the bracket of the whole list in flow style.
        head: The row up to its sources, that is, its bracket.
        sources: The row's sources.
        body: The row behind its sources.
        tail: What stands between the row and its comment: nothing in block style, a comma or brackets in flow style.
        rest: The comment and the line's ending.
    """

    number: int
    prefix: str
    head: str
    sources: str
    body: str
    tail: str
    rest: str

    @property
    def ending(self) -> str:
        """The line's ending, empty in a last line that has none."""
        return self.rest[len(self.rest.rstrip(BREAKS)) :]

    @property
    def line(self) -> str:
        """The complete line."""
        return self.prefix + self.head + self.sources + self.body + self.tail + self.rest


def insert(text: str, graph: Graph, after: Collection[int], kind: str, args: str) -> str:
    """Put rows behind layers of a model; each takes the place of its layer for all that read it.

    Args:
        text: The model file.
        graph: What it says.
        after: The indices of the layers.
        kind: The class of the rows.
        args: Their arguments, as they are written between the brackets.

    Returns:
        The new text.

    Raises:
        InsertionError: The rows do not stand each on a line of its own.
    """
    places = {i: i + sum(k < i for k in after) for i in range(len(graph.layers))}
    outputs = {IMAGE: IMAGE, **{i: place + (i in after) for i, place in places.items()}}
    rows = _moved(_rows(text, graph), graph, _Moved(places, outputs), _labelled)
    ending = next((row.ending for row in rows if row.ending), "\n")
    for i in after:
        row = rows[i]
        added = f"{row.prefix.replace('[', ' ')}[-1, 1, {kind}, [{args}]]{row.tail} # {outputs[i]}{row.ending}"
        rest = row.rest + ("" if row.ending else ending) + added
        rows[i] = replace(row, tail="" if "-" in row.prefix else ",", rest=rest)
    return _joined(text_lines(text), rows)


def remove(text: str, graph: Graph, kinds: Collection[str]) -> str:
    """Take the rows of some kinds with one source out of a model; what reads them then reads their source.

    Args:
        text: The model file.
        graph: What it says.
        kinds: The kinds.

    Returns:
        The new text.

    Raises:
        InsertionError: There are none, or the rows do not stand each on a line of its own.
    """
    places: dict[int, int] = {}
    outputs = {IMAGE: IMAGE}
    for i, layer in enumerate(graph.layers):
        if layer.kind in kinds and len(layer.sources) == 1:
            outputs[i] = outputs[layer.sources[0]]
        else:
            places[i] = outputs[i] = len(places)
    gone = [i for i in range(len(graph.layers)) if i not in places]
    if not gone:
        raise InsertionError("there is no layer of ours in it")
    rows = _moved(_rows(text, graph), graph, _Moved(places, outputs), _unlabelled)
    for i in gone:
        if "[" in rows[i].prefix:
            raise InsertionError(f"layer {i} opens its list in line {rows[i].number + 1}; take it out by hand")
        before = max((place for place in places if place < i), default=i)
        if graph.layers[before].part == graph.layers[i].part:  # what closes a list, or a comma, is handed on
            rows[before] = replace(rows[before], tail=rows[i].tail)
        if not rows[i].ending and rows[i].number - rows[before].number == i - before:  # nor has the line before it now
            rows[before] = replace(rows[before], rest=rows[before].rest.rstrip(BREAKS))
        rows[i] = _Row(rows[i].number, "", "", "", "", "", "")
    return _joined(text_lines(text), rows)


def _joined(lines: list[str], rows: Collection[_Row]) -> str:
    """Return a file with its rows as they are now."""
    new = {row.number: row.line for row in rows}
    return "".join(new.get(number, line) for number, line in enumerate(lines))


def _rows(text: str, graph: Graph) -> list[_Row]:
    """Return the rows of a model as lines."""
    found = row_lines(text)
    if len(found) != len(graph.layers):
        raise InsertionError(
            f"{len(found)} of its {len(graph.layers)} layers stand each on a line of its own, as in "
            "`- [-1, 1, Conv, [64, 3, 2]]`; write the others so too"
        )
    lines = text_lines(text)
    return [_row(number, lines[number], span) for number, span, _ in found]


def _row(number: int, line: str, sources: tuple[int, int]) -> _Row:
    """Take a line apart."""
    start, end = sources
    opens = line.rindex("[", 0, start)
    depth = 0
    for closes in range(opens, len(line)):
        depth += {"[": 1, "]": -1}.get(line[closes], 0)
        if not depth:
            break
    else:
        raise InsertionError(f"the row in line {number + 1} goes on in the next; write it on one")
    ends = closes + 1 + len(line[closes + 1 :].partition("#")[0].rstrip())
    return _Row(
        number,
        prefix=line[:opens],
        head=line[opens:start],
        sources=line[start:end],
        body=line[end : closes + 1],
        tail=line[closes + 1 : ends],
        rest=line[ends:],
    )


def _moved(rows: list[_Row], graph: Graph, moved: _Moved, relabelled: Callable[[str, int, int], str]) -> list[_Row]:
    """Return the rows with their sources, and the numbers in their comments, moved."""
    new = list(rows)
    for i, place in moved.places.items():
        sources = _sources(rows[i].sources, graph.layers[i], place, moved)
        new[i] = replace(rows[i], sources=sources, rest=relabelled(rows[i].rest, i, place))
    return new


def _sources(written: str, layer: Layer, place: int, moved: _Moved) -> str:
    """Return a row's sources, written as they were, with their numbers moved."""
    numbers = []
    for old, source in zip(layer.written, layer.sources):
        now = moved.outputs[source]
        if now == IMAGE and place:
            raise InsertionError(f"layer {layer.place} would read the image, which only the first layer can")
        numbers.append(now - place if old < 0 else now)
    each = iter(numbers)
    return re.sub(r"-?\d+", lambda _: str(next(each)), written)


def _labelled(rest: str, old: int, new: int) -> str:
    """Return what stands behind a row that rows of ours have moved; its label too, or a mark where it need not."""
    label = _label(rest)
    if not label or rest.endswith(_mark(label), 0, len(rest.rstrip(BREAKS))):
        return rest
    if int(label.group(1)) == new != old:
        ends = len(rest.rstrip(BREAKS))
        return rest[:ends] + _mark(label) + rest[ends:]
    return _renumbered(rest, label, old, new)


def _unlabelled(rest: str, old: int, new: int) -> str:
    """Return what stood behind a row before `_labelled`."""
    label = _label(rest)
    if not label:
        return rest
    ends = len(rest.rstrip(BREAKS))
    if rest.endswith(_mark(label), 0, ends):
        return rest[: ends - len(_mark(label))] + rest[ends:]
    return _renumbered(rest, label, old, new)


def _label(rest: str) -> re.Match[str] | None:
    """Return the number of a layer that a comment begins with."""
    mark = re.match(r"\s*#\s*", rest)
    return LABEL.match(rest, mark.end()) if mark else None


def _mark(label: re.Match[str]) -> str:
    """Return what is put behind a comment whose number stays, though it would be moved when rows are taken out."""
    return f" [was {label.group(1)}]"


def _renumbered(rest: str, label: re.Match[str], old: int, new: int) -> str:
    """Return a comment with another number where its own is that of its layer; zeros before it stay."""
    written = label.group(1)
    if int(written) != old:
        return rest
    zeros = written[: len(written) - len(str(old))]
    return rest[: label.start(1)] + zeros + str(new) + rest[label.end(1) :]
