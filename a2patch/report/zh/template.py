"""The template of a message in English, and the same in Chinese.

The name of a place tells what stands there: `said` words that are to be said in Chinese too, `n` a number, `names`
several names, and `scale`, `key`, `kind` or `tensor` a single word; any other a name or a value, which stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

PLACEHOLDER = re.compile(r"\{(\w+)\}")
_WORD = r"[^\s:;]+"
_NUMBER = r"[-+]?(?:\d[\d,.]*(?:e[-+]?\d+)?%?|nan|inf)"
_PATTERNS = {"n": _NUMBER, "scale": _WORD, "key": _WORD, "kind": _WORD, "tensor": _WORD}


class Piece(NamedTuple):
    """A part of what is said.

    Attributes:
        text: It.
        kind: Whether it is said in Chinese, a name or a value, or English that nobody translated.
    """

    text: str
    kind: Literal["chinese", "value", "foreign"] = "chinese"


@dataclass(frozen=True)
class Template:
    """A message with places for names, figures and clauses.

    Attributes:
        english: In English; each name stands in it once.
        chinese: In Chinese; the same names, in any order.
    """

    english: str
    chinese: str

    @cached_property
    def literals(self) -> tuple[str, ...]:
        """The words between the places, in English."""
        return tuple(PLACEHOLDER.split(self.english)[::2])

    @property
    def weight(self) -> int:
        """How much a text must have in common with it."""
        return sum(map(len, self.literals))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = PLACEHOLDER.split(self.english)
        written = (_group(part) if place % 2 else re.escape(part) for place, part in enumerate(parts))
        return re.compile("".join(written), re.DOTALL)

    def found_in(self, text: str) -> dict[str, str] | None:
        """Return what stands in the places where a text is this message; None where it is another."""
        at = 0
        for literal in self.literals:  # far cheaper than the pattern, which nearly always fails
            at = text.find(literal, at) + len(literal)
            if at < len(literal):
                return None
        found = self._pattern.fullmatch(text)
        return found.groupdict() if found else None


def is_clause(name: str) -> bool:
    """Return whether what stands in a place of this name is to be said in Chinese too."""
    return name.startswith("said")


def is_list(name: str) -> bool:
    """Return whether several names stand in a place of this name."""
    return name.startswith("names")


def _group(name: str) -> str:
    return f"(?P<{name}>{_PATTERNS.get(name.rstrip('0123456789'), '.+?')})"
