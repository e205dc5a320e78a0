"""The table of the blocks: each of them is there, and its counts are those of its papers."""

from __future__ import annotations

from benchmarks.blocks import NAMES, PEER, measured, table
from tests.patches.test_blocks import CLASSES


def test_the_table_has_every_block_and_right_counts() -> None:
    assert sorted(CLASSES) == NAMES
    rows = {row.title: row for row in measured(NAMES, c=64, side=8, batch=2, repeats=1)}
    assert list(rows) == [PEER, *(CLASSES[name] for name in NAMES)]
    assert (rows[PEER].parameters, rows[PEER].flops) == (9 * 64 * 64, 2 * 9 * 64 * 64 * 8 * 8)
    assert (rows["SE"].parameters, rows["SE"].flops) == (2 * 64 * 4, 2 * 2 * 64 * 4)
    assert (rows["SimAM"].parameters, rows["SimAM"].flops) == (0, 0)
    assert rows["TripletAttention"].parameters == 3 * (2 * 7 * 7 + 2)
    lines = table(list(rows.values())).splitlines()
    assert len(lines) == 2 + len(rows)
    assert all(line.count("|") == lines[0].count("|") for line in lines)
