"""What is told of a change to a tree."""

from __future__ import annotations

from typing import cast

import pytest

from a2patch.patch import Change
from a2patch.report.tree import change_lines
from a2patch.transaction import Operation, Survey


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, b"a\n", "new file"),
        (b"a\n", None, "removed"),
        (b"a\nb\n", b"a\nx\ny\nb\n", "+2 lines"),
        (b"a\nx\nb", b"a\nb", "-1 lines"),
        (b"from m import A\n", b"from m import A, B\n", "1 line changed"),
        (b"a\r\nb\r\n", b"c\r\nd\r\n", "2 lines changed"),
    ],
)
def test_how_much_a_file_changed(before: bytes | None, after: bytes | None, told: str) -> None:
    (line,) = change_lines(Operation(cast(Survey, None), (Change("nn/tasks.py", before, after),)))
    assert line.split("nn/tasks.py")[1].startswith(f"{' ' * 26}{told}  ")
