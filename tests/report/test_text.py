"""Columns stand below one another on a terminal, where a Chinese character takes two of its columns."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from a2patch.report.text import table_lines
from a2patch.report.verdict import check_line
from a2patch.runner import Check


def test_columns_of_a_table_stand_below_one_another() -> None:
    lines = table_lines([("model", "mAP"), ("我的 模型", "0.1"), ("yolov8n", "0.2")])
    assert {cell_len(line) for line in lines} == {len("我的 模型") + 4 + 2 + 3}
    assert lines[1] == "我的 模型  0.1"
    assert lines[2] == "yolov8n    0.2"


def test_a_table_breaks_where_the_terminal_ends() -> None:
    rows = [("模型", "参数", "内存"), ("甲", "一二三四五", "六七八九十")]
    assert len(table_lines(rows, 28)) == 2
    assert len(table_lines(rows, 27)) == 4


@pytest.mark.parametrize("figure", ["site-packages/ultralytics", "数据/我的环境/ultralytics"])
def test_the_time_of_a_check_stands_at_one_place(figure: str) -> None:
    line = str(check_line(Check("import", "pass", figure, seconds=1.5), 6, 40))
    assert cell_len(line) == 6 + 6 + 2 + 40 + 2 + 7
