"""Lay text out for a terminal: paragraphs and tables, within a number of columns."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from rich.cells import cell_len

_GAP = "  "
# What steers a terminal, or turns the direction of what follows; a tab and the end of a line are harmless.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\udc80-\udc9f]")


def printable(text: str) -> str:
    """Return text with its control characters written out; what a file says must not steer a terminal."""
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text.replace("\r\n", "\n"))


def wrapped(text: str, width: int, indent: str = "") -> str:
    """Return text broken into lines; its own line breaks stay, and long words, such as paths, are never broken."""
    return "\n".join(
        textwrap.fill(
            line, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        for line in text.splitlines()
    )


def table_lines(rows: Iterable[Sequence[str]], width: int | None = None) -> list[str]:
    """Return a table as lines, cells of a column below one another.

    Args:
        rows: Rows of equally many cells, of which the first names the row.
        width: The columns to stay within. Cells that do not fit go into further tables below the first, which repeat
            the names; without a width all stand in one.
    """
    names, *columns = (_padded(cells) for cells in zip(*rows, strict=True))
    tables = [[names]]
    for column in columns:
        cells = (*tables[-1], column)
        if width is not None and len(cells) > 2 and cell_len(_GAP.join(cell[0] for cell in cells)) > width:
            tables.append([names])
        tables[-1].append(column)
    return [_GAP.join(row).rstrip() for table in tables for row in zip(*table, strict=True)]


def padded(text: str, width: int) -> str:
    """Return text with blanks behind it, up to a width on a terminal, where a Chinese character takes two columns."""
    return text + " " * (width - cell_len(text))


def _padded(cells: Sequence[str]) -> list[str]:
    """Return the cells of a column at one width."""
    width = max(map(cell_len, cells))
    return [padded(cell, width) for cell in cells]
