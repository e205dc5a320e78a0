"""A model file as text: its lines, its rows where each stands on a line of its own, and what they say.

The host, which has no YAML parser, reads the model of a tree by it. The probe imports it, so it is Python 3.8.
"""

from __future__ import annotations

import re

from a2patch.graph.model import Graph, GraphError, read

_ROW = re.compile(
    r"""^(?P<head>\s*(?:-\s*)?(?:\[\s*)?\[\s*)(?P<sources>-?\d+|\[\s*-?\d+(?:\s*,\s*-?\d+)*\s*\])"""
    r"""(?P<rest>\s*,\s*\d+\s*,\s*["']?[A-Za-z_][\w.]*["']?\s*,[^#]*)(?:\#\s*(?P<comment>(?:\S(?:.*\S)?)?)\s*)?$"""
)


_TOP_KEY = re.compile(r"([A-Za-z_]\w*)\s*:(?=\s|$)")


def repeated_keys(text: str) -> list[str]:
    """Return the keys that stand in a model file more than once, of which a YAML parser takes the last."""
    keys = [key.group(1) for key in map(_TOP_KEY.match, text_lines(text)) if key]
    return sorted({key for key in keys if keys.count(key) > 1})


BREAKS = "\r\n\x85\u2028\u2029"
"""What ends a line of YAML; `str.splitlines` ends one at control characters too, which upstream leaves out."""

_LINE = re.compile("[^{0}]*(?:\r\n|[{0}])|[^{0}]+".format(BREAKS))
_KEY = re.compile(r"""(?:^|[\s{,\ufeff])["']?([A-Za-z_]\w*)["']?\s*:(?=\s|$)""")


def text_lines(text: str) -> list[str]:
    """Return the lines of a YAML file, with their endings."""
    return _LINE.findall(text)


def row_lines(text: str) -> list[tuple[int, tuple[int, int], str]]:
    """Find the rows of layers in a YAML file that has each on a line of its own, as upstream's have.

    Returns:
        For each row the index of its line, where in the line its sources stand, and the comment behind it; those of the
        backbone before those of the head, as upstream counts them, whichever stands first in the file.
    """
    found: dict[str, list[tuple[int, tuple[int, int], str]]] = {"backbone": [], "head": []}
    part = ""
    for number, line in enumerate(text_lines(text)):
        match = _ROW.match(line.rstrip(BREAKS))
        if match:
            found.setdefault(part, []).append((number, match.span("sources"), match.group("comment") or ""))
            continue
        for part in _KEY.findall(line.partition("#")[0]):
            found[part] = []  # of two lists by one name, a YAML parser takes the last
    return found["backbone"] + found["head"]


_REST = re.compile(r"""\s*,\s*(\d+)\s*,\s*["']?([A-Za-z_][\w.]*)["']?\s*,(.*)""")


def read_text(text: str) -> Graph:
    """Read a model from its rows as text; the arguments of each are its repeats and what is written between brackets.

    Raises:
        GraphError: It has no rows, or something else stands between them.
    """
    lines = text_lines(text)
    found = row_lines(text)
    model: dict[str, list[object]] = {"backbone": [], "head": []}
    part = ""
    places = {number: span for number, span, _ in found}
    for number, line in enumerate(lines):
        bare = line.partition("#")[0].strip(BREAKS + " \ufeff")
        if number in places:
            start, end = places[number]
            rest = _REST.match(line[end:].rpartition("#")[0] or line[end:])
            if part not in model or rest is None:
                raise GraphError(f"line {number + 1} is a row of no list of layers")
            sources = [int(source) for source in re.findall(r"-?\d+", line[start:end])]
            arguments = rest[3].partition("#")[0].strip().rstrip(",").removesuffix("]")
            model[part].append(
                [sources if "[" in line[start:end] else sources[0], int(rest[1]), rest[2], [rest[1], arguments]]
            )
        elif key := re.match(r"([A-Za-z_]\w*)\s*:", bare):
            part = key[1]
        elif bare and part in model:
            raise GraphError(f"line {number + 1} is no row: {bare!r}")
    return read(model)
