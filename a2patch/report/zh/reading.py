"""Lead a message back to its templates, and say it in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

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

_LONGEST = 8000  # characters; what is longer is no message of ours
_DEEPEST, _READ = 60, 800  # messages within messages, and texts looked at; a long list of faults takes some 300
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
    pieces = _spaced(_Reader().read(text)) if len(text) <= _LONGEST else (Piece(text, "foreign"),)
    return together(*(element("span", text, lang="en") if kind == "foreign" else text for text, kind in pieces))


@lru_cache(maxsize=1)
def _templates() -> tuple[Template, ...]:
    """Return all templates, those that say most first."""
    return tuple(sorted((Template(*pair) for pair in CATALOGUE.items()), key=lambda each: -each.weight))


class _Reader:
    """Reads one message, which may be of any origin: what would take too long is left as it is."""

    def __init__(self) -> None:
        self._whole: dict[str, Pieces] = {}
        self._any: dict[str, Pieces] = {}
        self._depth = 0

    def read(self, text: str) -> Pieces:
        """Return what a text says: of all readings the one that leaves the least in English."""
        if text not in self._any:
            self._any[text] = self._least(chain([self._read_whole(text)], self._parted(text)))
        return self._any[text]

    def _read_whole(self, text: str) -> Pieces:
        """Return what a text says that is a single message, a name, or the words of others."""
        if text not in self._whole:
            self._whole[text] = self._least(chain([(Piece(text, "foreign"),)], self._readings(text)))
        return self._whole[text]

    def _least(self, readings: Iterator[Pieces]) -> Pieces:
        """Return the reading that leaves the least in English, and of several the first."""
        best = next(readings)
        self._depth += 1
        if _left(best) and self._depth <= _DEEPEST:
            for reading in readings:
                if _left(reading) < _left(best):
                    best = reading
                if not _left(best) or len(self._whole) > _READ:
                    break
        self._depth -= 1
        return best

    def _readings(self, text: str) -> Iterator[Pieces]:
        """Yield what a text says as a single message."""
        raised = _RAISED.match(text)
        for template in _templates():
            found = template.found_in(text) if not raised or _RAISED.match(template.english) else None
            if found is not None:
                yield self._filled(template, found)
        if not raised and not _words(text):  # a name, figures, code
            yield (Piece(text),)

    def _filled(self, template: Template, found: dict[str, str]) -> Pieces:
        """Return a template in Chinese with what stands in its places."""
        pieces: list[Piece] = []
        for place, part in enumerate(PLACEHOLDER.split(template.chinese)):
            if not place % 2:
                pieces.append(Piece(part))
            elif is_clause(part):
                pieces.extend(self.read(found[part]))
            else:
                value = found[part].replace(", ", "、") if is_list(part) else found[part]
                pieces.append(Piece(value, "value"))
        return tuple(piece for piece in pieces if piece.text)

    def _parted(self, text: str) -> Iterator[Pieces]:
        """Yield what a text says as several messages one after the other, or as a list."""
        if _RAISED.match(text) or not _words(text):
            return
        for mark, written in _JOINS:
            yield from (pieces for pieces in self._split(text, mark, written) if _helps(pieces))
        for mark, written in _LISTS:
            yield from (pieces for pieces in self._split(text, mark, written) if not _is_foreign(pieces))

    def _split(self, text: str, mark: str, written: str) -> Iterator[Pieces]:
        """Yield what a text says if it is two that a mark stands between; the stop of a sentence is the first's."""
        for found in re.finditer(re.escape(mark), text):
            first, second = text[: found.start()], text[found.end() :]
            if first and second and not _RAISING.search(first):  # whose words go on to the end
                before = self._read_whole(first + mark[0] if mark == ". " else first)
                between = "" if before[-1].text.endswith("。") else written
                yield (*before, *([Piece(between)] if between else []), *self.read(second))


def _left(pieces: Sequence[Piece]) -> int:
    """Return how much is left in English; words in a name tell that more was taken for one than is."""
    return sum(
        len(text) if kind == "foreign" else sum(map(len, _words(text))) if kind == "value" else 0
        for text, kind in pieces
    )


def _words(text: str) -> list[str]:
    """Return the words in a text, those of commands left out; one that stands alone is a name."""
    return _WORD.findall(_COMMAND.sub("", text)) if re.search(r"\s", text) else []


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
