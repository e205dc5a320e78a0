"""Find layers of a model that read the wrong layer, from its graph alone, and say which index is right.

The probe imports it, so it is Python 3.8.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from difflib import unified_diff

from a2patch.graph.model import IMAGE, Comparison, Graph
from a2patch.graph.text import BREAKS, row_lines, text_lines
from a2patch.protocol import Fault, Layer

JOINS = frozenset({"Concat"})
# Their outputs are read otherwise than through the graph, or several at once: a text branch, and reversible branches.
_ASIDE = frozenset({"ImagePoolingAttn", "CBLinear", "CBFuse"})
_LEVEL = re.compile(r"\bP(\d)\b")

LABEL = re.compile(r"(?:[A-Z]\d \()?(\d{1,9})(?=$|[\s,)-])")
"""The index of a layer at the start of the comment on its row: `4-P3/8`, `15 (P3/8-small)`, `X3 (21)`."""


def faults(graph: Graph, added: Collection[str] = ()) -> list[Fault]:
    """Return what is wrong with a model by itself.

    Args:
        graph: The model.
        added: The kinds of layers that were put between those of a known model; what is at fault is looked for with
            them taken out.
    """
    bare = graph.without(added)
    found = [*_rising(bare), *_stage(bare), *_twice(bare), *_comment(bare)]
    back = {layer.place: i for i, layer in enumerate(graph.layers)}
    moved = [
        replace(
            fault,
            index=back[bare.layers[fault.index].place],
            source=None if fault.source is None else back[bare.layers[fault.source].place],
        )
        for fault in found
    ]
    return sorted([*moved, *_unused(graph)], key=lambda fault: fault.index)


def _head(graph: Graph) -> int | None:
    """Return the last layer, if it reads several."""
    last = len(graph.layers) - 1
    return last if len(graph.layers[last].sources) > 1 and graph.layers[last].kind not in JOINS else None


def _rising(graph: Graph) -> Iterator[Fault]:
    """Find a head whose maps do not become strictly coarser from one to the next."""
    head = _head(graph)
    if head is None:
        return
    sources = graph.layers[head].sources
    strides = [graph.layers[s].stride for s in sources]
    known = [s for s in strides if s is not None]
    if len(known) == len(strides) and known != sorted(set(known)):
        listed = ", ".join(f"{s:g}" for s in known)
        text = f"{graph.describe(head)} reads maps of the strides {listed}, which should strictly rise"
        yield Fault("rising", head, None, text)


def _stage(graph: Graph) -> Iterator[Fault]:
    """Find a join or a head that reads a layer which is not the last of its stage."""
    head = _head(graph)
    for i, layer in enumerate(graph.layers):
        if layer.kind not in JOINS and i != head:
            continue
        for source, written in zip(layer.sources, layer.written):
            onward = _onward(graph, source)
            if onward is not None and (i == head or written >= 0):
                reads = f"layer {graph.describe(i)} reads {graph.describe(source)}"
                yield Fault("stage", i, source, f"{reads}, whose stage goes on with {graph.describe(onward)}")


def _onward(graph: Graph, index: int) -> int | None:
    """Return a layer that reads only this one and keeps its stride, if there is one."""
    stride = graph.layers[index].stride
    for reader in graph.readers(index):
        layer = graph.layers[reader]
        alone = len(layer.sources) == 1 and layer.kind not in JOINS | _ASIDE
        if alone and stride is not None and layer.stride == stride:
            return reader
    return None


def _twice(graph: Graph) -> Iterator[Fault]:
    """Find a join that reads a map twice, directly or through another join."""
    holds: dict[int, frozenset[int]] = {IMAGE: frozenset({IMAGE})}
    for i, layer in enumerate(graph.layers):
        holds[i] = frozenset({i})
        if layer.kind == "Identity":
            holds[i] |= holds[layer.sources[0]]
        if layer.kind not in JOINS:
            continue
        for source in layer.sources:
            both = holds[i] & holds[source]
            if both:
                text = f"{graph.describe(i)} joins {graph.describe(max(both))} twice"
                yield Fault("twice", i, source, text)
            holds[i] |= holds[source]


def _unused(graph: Graph) -> Iterator[Fault]:
    """Find a layer that nothing reads."""
    for i, layer in enumerate(graph.layers[:-1]):
        if not graph.readers(i) and layer.kind not in _ASIDE:
            yield Fault("unused", i, None, f"nothing reads {graph.describe(i)}; delete it, or let a layer read it")


def _comment(graph: Graph) -> Iterator[Fault]:
    """Find a join or a head whose comment names another level of the pyramid than it reads."""
    head = _head(graph)
    for i, layer in enumerate(graph.layers):
        levels = [2 ** int(level) for level in _LEVEL.findall(layer.comment)]
        if i == head and len(levels) == len(layer.sources):
            pairs = list(zip(layer.sources, levels))
        elif layer.kind in JOINS and len(levels) == 1:
            pairs = [(s, levels[0]) for s, written in zip(layer.sources, layer.written) if written >= 0]
        else:
            continue
        for source, level in pairs:
            stride = graph.layers[source].stride
            if stride is not None and stride != level:
                text = f"{graph.describe(i)} reads {graph.describe(source)}, and its comment says “{layer.comment}”"
                yield Fault("comment", i, source, text)


def against(graph: Graph, compared: Comparison, name: str) -> list[Fault]:
    """Return the layers that do not read the layers which the same layers of another model read."""
    found = []
    for rewired in compared.rewired:
        expected = rewired.expected
        pairs = zip(rewired.sources, expected) if expected and len(expected) == len(rewired.sources) else ()
        wrong = [(a, b) for a, b in pairs if a != b]
        if wrong:
            listed = "; ".join(f"{graph.describe(a)} where that of {name} reads {graph.describe(b)}" for a, b in wrong)
            text = f"{graph.describe(rewired.index)} reads {listed}"
        else:
            text = f"{graph.describe(rewired.index)} does not read what that of {name} reads"
        found.append(Fault("base", rewired.index, wrong[0][0] if len(wrong) == 1 else None, text))
    return found


def inserted_only(graph: Graph, compared: Comparison) -> bool:
    """Return whether a model has every layer of another, and between them only layers that keep the stride."""
    if compared.removed:
        return False
    for index in compared.added:
        layer = graph.layers[index]
        before = 1.0 if layer.sources[0] == IMAGE else graph.layers[layer.sources[0]].stride
        if len(layer.sources) != 1 or layer.stride != before:
            return False
    return True


def correction(graph: Graph, compared: Comparison) -> dict[int, tuple[int, ...]]:
    """Return the sources that the rewired layers of a model should have, by layer, as far as that is known.

    Where a row was put in and indices were left as they were, those that still lead to a layer in front of it were left
    too: they should follow, as all that reads that layer does.
    """
    expected = {rewired.index: rewired.expected for rewired in compared.rewired if rewired.expected is not None}
    for bypass in compared.bypasses if expected else ():
        sources = expected.get(bypass.index, graph.layers[bypass.index].sources)
        expected[bypass.index] = tuple(bypass.added if s == bypass.source else s for s in sources)
    return expected


def designed(graph: Graph, compared: Comparison) -> Comparison:
    """Return a comparison without a head that reads another number of maps: that is its author's design."""
    last = len(graph.layers) - 1
    count = len(graph.layers[last].sources)
    kept = (r for r in compared.rewired if r.index != last or r.expected is None or len(r.expected) == count)
    return replace(compared, rewired=tuple(kept))


def dropped(graph: Graph, compared: Comparison) -> list[int]:
    """Return the layers that only a head would read which reads fewer maps than that of another model does."""
    last = len(graph.layers) - 1
    head = next((r for r in compared.rewired if r.index == last and r.expected), None)
    if head is None or len(head.expected or ()) <= len(head.sources):
        return []
    unread: set[int] = set()
    for i in range(last - 1, -1, -1):
        if unread.issuperset(graph.readers(i)) and (i in (head.expected or ()) or graph.readers(i)):
            unread.add(i)
    return sorted(unread)


def stale_labels(graph: Graph) -> list[tuple[int, int]]:
    """Return the layers whose comment begins with another index than theirs, each with that index."""
    found = []
    for layer in graph.layers:
        label = LABEL.match(layer.comment)
        if label and int(label.group(1)) != layer.place:
            found.append((layer.place, int(label.group(1))))
    return found


def repaired(text: str, graph: Graph, sources: Mapping[int, tuple[int, ...]], name: str) -> str:
    """Return a diff that gives rows of a YAML file other sources, empty where its rows can't be told apart.

    Args:
        text: The file.
        graph: What it says.
        sources: The absolute sources that layers should have.
        name: What to call the file.
    """
    rows = row_lines(text)
    if len(rows) != len(graph.layers):
        return ""
    lines = [line.rstrip(BREAKS) for line in text_lines(text)]
    was = list(lines)
    for index, wanted in sources.items():
        number, (start, end), _ = rows[index]
        written = _rewritten(graph.layers[index], index, wanted)
        lines[number] = lines[number][:start] + written + lines[number][end:]
    return "\n".join(unified_diff(was, lines, "a/" + name, "b/" + name, lineterm="", n=1))


def _rewritten(layer: Layer, index: int, wanted: tuple[int, ...]) -> str:
    """Return sources as a row has them: what was relative and is right stays relative."""
    now = list(wanted)
    for k, (old, new) in enumerate(zip(layer.written, wanted)):
        if old < 0 and new in (index + old, index - 1):
            now[k] = new - index
    return str(now[0]) if len(now) == 1 else "[{}]".format(", ".join(map(str, now)))
