"""Text whose parts mean something that a terminal can show in colour; what prints it decides whether it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from a2patch.report.text import printable

Style = Literal["", "pass", "fail", "known", "skip", "strong"]
"""What a part means: a result, what to look at first, or nothing."""

_CODES: dict[Style, str] = {"pass": "32", "fail": "1;31", "known": "33", "skip": "2", "strong": "1"}


@dataclass(frozen=True)
class Styled:
    """A line of text in parts.

    Attributes:
        parts: Each part and what it means.
    """

    parts: tuple[tuple[str, Style], ...]

    def __str__(self) -> str:
        return "".join(text for text, _ in self.parts)


def painted(line: str | Styled) -> str:
    """Return a line with the control sequences of its colours, and none of any other origin."""
    if isinstance(line, str):
        return printable(line)
    return "".join(
        f"\x1b[{_CODES[style]}m{printable(text)}\x1b[0m" if style else printable(text) for text, style in line.parts
    )
