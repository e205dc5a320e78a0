"""Make HTML and SVG as text: every string that is put in is escaped, unless it is markup already."""

from __future__ import annotations

import re
from html import escape

_CODE = re.compile("`([^`<>]+)`")
_EMPTY = frozenset({"br", "col", "hr", "img", "input", "link", "meta"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """Return an element.

    Args:
        name: Its name.
        children: What is in it, escaped where it is not `Markup`.
        attributes: Its attributes; in their names `_` stands for `-`, and one at the end is left out. Those that are
            None are left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(f"{value:g}" if isinstance(value, float) else str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{together(*children)}</{name}>")


def with_code(text: str) -> Markup:
    """Return text, escaped where it is not `Markup`, in which what stands between backticks is set as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", together(text)))


def together(*pieces: str) -> Markup:
    """Return pieces one after the other, escaped where they are not `Markup`."""
    return Markup("".join(piece if isinstance(piece, Markup) else escape(piece) for piece in pieces))
