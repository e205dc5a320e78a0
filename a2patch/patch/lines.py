"""The lines of a file: how two versions of them differ, and how two sets of differences go together."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Replacement:
    """Lines put in place of others.

    Attributes:
        start: Index of the first line that goes.
        end: Index of the line behind the last one that goes; the same as `start` where none does.
        lines: What comes in their place.
    """

    start: int
    end: int
    lines: tuple[bytes, ...]

    def touches(self, other: Replacement) -> bool:
        """Whether no line of the file lies between this one and another."""
        return self.start <= other.end and other.start <= self.end


def split_lines(content: bytes) -> list[bytes]:
    """Split a file into lines as git does, endings kept: a carriage return alone ends none."""
    return re.findall(rb"[^\n]*\n|[^\n]+", content)


def replacements(old: Sequence[bytes], new: Sequence[bytes]) -> list[Replacement]:
    """Compare two versions of a file.

    Args:
        old: The lines of the one.
        new: The lines of the other.

    Returns:
        What makes the other of the one, in order, with at least one common line between any two.
    """
    shorter = min(len(old), len(new))
    head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    tail = next((at for at in range(shorter - head) if old[-1 - at] != new[-1 - at]), shorter - head)
    middle = old[head : len(old) - tail], new[head : len(new) - tail]
    matcher = difflib.SequenceMatcher(None, *middle, autojunk=False)
    return [
        Replacement(start + head, end + head, tuple(middle[1][new_start:new_end]))
        for kind, start, end, new_start, new_end in matcher.get_opcodes()
        if kind != "equal"
    ]


def merge(base: bytes, mine: bytes, wanted: bytes) -> bytes:
    """Merge two versions of a file; where they touch the same lines, or lines side by side, `wanted` wins.

    Args:
        base: What both come from.
        mine: The one version.
        wanted: The other.
    """
    lines = split_lines(base)
    winning = replacements(lines, split_lines(wanted))
    kept = [
        edit for edit in replacements(lines, split_lines(mine)) if not any(edit.touches(other) for other in winning)
    ]
    for edit in sorted((*winning, *kept), key=lambda edit: edit.start, reverse=True):
        lines[edit.start : edit.end] = edit.lines
    return b"".join(lines)
