"""Lead a message back to its templates, and say it in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from a2patch.report.markup import Markup, element, together
from a2patch.report.zh import compare, figures, layers, models, running, tree, wiring
from a2patch.report.zh.template import PLACEHOLDER, Piece, Template, is_clause, is_list

CATALOGUE = {
    **layers.SAID,
    **models.SAID,
    **wiring.SAID,
    **running.SAID,
    **tree.SAID,
    **figures.SAID,
    **compare.SAID,
}
"""Every message of ours in English, and in Chinese."""

_LONGEST = 4000  # characters; what is longer is no message of ours
_JOINS = (("; ", "；"), (". ", " "))
_LISTS = ((", ", "、"), (" and ", "和"))
_WORD = re.compile(r"(?:^|[\s(])[A-Za-z]{2,}(?=[),.;:]*(?:\s|$))")
_COMMAND = re.compile("`[^`]*`")
_RAISED = re.compile(r"[\w.]*(?:Error|Exception|Exit|Interrupt|Warning)(?::|$)")  # in the words of Python or a library
_RAISING = re.compile(r"(?:Error|Exception): ")
_IDEOGRAPH = "[\u4e00-\u9fff]"
_APART = re.compile(rf"{_IDEOGRAPH}[A-Za-z0-9_`/\[-]|[A-Za-z0-9_`%\]]{_IDEOGRAPH}")

Pieces = tuple[Piece, ...]


def in_chinese(text: str) -> Markup:
    """Return a message in Chinese; what is not known of it stays as it is, marked as English.

    Args:
        text: In English, in one line.
    """
    pieces = _spaced(_read(text)) if len(text) <= _LONGEST else (Piece(text, "foreign"),)
    return together(*(element("span", text, lang="en") if kind == "foreign" else text for text, kind in pieces))


@lru_cache(maxsize=1)
def _templates() -> tuple[Template, ...]:
    """Return all templates, those that say most first."""
    return tuple(sorted((Template(*pair) for pair in CATALOGUE.items()), key=lambda each: -each.weight))


@lru_cache(maxsize=4096)
def _read(text: str) -> Pieces:
    """Return what a text says: of all readings the one that leaves the least in English."""
    best: Pieces = (Piece(text, "foreign"),)
    for reading in _readings(text):
        if _left(reading) < _left(best):
            best = reading
        if not _left(best):
            break
    return best


def _left(pieces: Sequence[Piece]) -> int:
    """Return how much is left in English; words in a name tell that more was taken for one than is."""
    return sum(
        len(text) if kind == "foreign" else sum(map(len, _words(text))) if kind == "value" else 0
        for text, kind in pieces
    )


def _words(text: str) -> list[str]:
    """Return the words in a text, those of commands left out; one that stands alone is a name."""
    return _WORD.findall(_COMMAND.sub("", text)) if re.search(r"\s", text) else []


def _readings(text: str) -> Iterator[Pieces]:
    raised = _RAISED.match(text)
    for template in _templates():
        found = template.found_in(text) if not raised or _RAISED.match(template.english) else None
        if found is not None:
            yield _filled(template, found)
    if raised:
        return
    if not _words(text):  # a name, figures, code
        yield (Piece(text),)
        return
    for mark, written in _JOINS:
        yield from (pieces for pieces in _split(text, mark, written) if _helps(pieces))
    for mark, written in _LISTS:
        yield from (pieces for pieces in _split(text, mark, written) if not _is_foreign(pieces))


def _filled(template: Template, found: dict[str, str]) -> Pieces:
    """Return a template in Chinese with what stands in its places."""
    pieces: list[Piece] = []
    for place, part in enumerate(PLACEHOLDER.split(template.chinese)):
        if not place % 2:
            pieces.append(Piece(part))
        elif is_clause(part):
            pieces.extend(_read(found[part]))
        else:
            value = found[part].replace(", ", "、") if is_list(part) else found[part]
            pieces.append(Piece(value, "value"))
    return tuple(piece for piece in pieces if piece.text)


def _split(text: str, mark: str, written: str) -> Iterator[Pieces]:
    """Yield what a text says if it is two that a mark stands between; the stop of a sentence belongs to the first."""
    for found in re.finditer(re.escape(mark), text):
        first, second = text[: found.start()], text[found.end() :]
        if first and second and not _RAISING.search(first):  # whose words go on to the end
            before = _read(first + mark[0] if mark == ". " else first)
            between = "" if before[-1].text.endswith("。") else written
            yield (*before, *([Piece(between)] if between else []), *_read(second))


def _is_foreign(pieces: Pieces) -> bool:
    return any(piece.kind == "foreign" for piece in pieces)


def _helps(pieces: Pieces) -> bool:
    """Return whether something in it is Chinese; the words of others are not to be cut where nothing is gained."""
    return any(re.search(_IDEOGRAPH, piece.text) for piece in pieces if piece.kind == "chinese")


def _spaced(pieces: Pieces) -> Iterator[Piece]:
    """Yield pieces with a space where Chinese and Latin letters meet."""
    before = ""
    for piece in pieces:
        if before and _APART.match(before[-1] + piece.text[0]):
            yield Piece(" ")
        yield piece
        before = piece.text
