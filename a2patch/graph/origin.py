"""What a model file that was made out of another says of itself: what made it, and which comments are of its base.

The probe imports it, so it is Python 3.8.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from a2patch.graph.text import BREAKS, text_lines

_MADE = "# Made by a2patch from "
_OF_BASE = "of the base: "
# What upstream writes behind the scales: what each costs, and how the file is called.
_OWN = re.compile(r"(#\s*)(?!of the base: )([^#]*(?:summary:|will call )[^#]*)$")


def marked(text: str, base: str, kind: str, after: Collection[int]) -> str:
    """Return a model file with a first line on what made it, and its base's comments on costs and names marked so.

    Args:
        text: The file, with rows put in.
        base: The name of the file that it was made from.
        kind: The class of the rows.
        after: The layers of the base that they stand behind.
    """
    lines = text_lines(unmarked(text))
    ending = next((line[len(line.rstrip(BREAKS)) :] for line in lines if line.rstrip(BREAKS) != line), "\n")
    places = " and ".join(map(str, sorted(after)))
    named = base if base.isascii() else "another file"  # which may be in another encoding than its name
    first = "{}{}: {} behind layer{} {}; it needs an ultralytics that a2patch has patched".format(
        _MADE, named, kind, "s" if len(after) > 1 else "", places
    )
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    return mark + first + ending + "".join(map(_marked, lines)).removeprefix(mark)


def unmarked(text: str) -> str:
    """Return a model file without what `marked` wrote."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    lines = text_lines(text[len(mark) :])
    if lines and lines[0].startswith(_MADE):
        return mark + "".join(line.replace("# " + _OF_BASE, "# ", 1) for line in lines[1:])
    return text


def _marked(line: str) -> str:
    body = line.rstrip(BREAKS)
    found = _OWN.search(body)
    if not found or found.group(1) != "# ":
        return line
    return body[: found.start(2)] + _OF_BASE + found.group(2) + line[len(body) :]
