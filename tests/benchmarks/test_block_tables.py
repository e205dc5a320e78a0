"""The tables of the blocks: all that was measured is in them, in both languages, and the rest of a page stays."""

from __future__ import annotations

import pytest

from a2patch.block import bundled
from a2patch.protocol import Check
from benchmarks.block_tables import BEGIN, END, PAGES, USE, WORDS, Measured, placed, tables
from benchmarks.in_models import AGAIN, BASE, Cost

BLOCKS = [bundled()["se"], bundled()["simam"]]
CHECKS = (Check("sight", "pass", "0.98"), Check("gradient", "skip", meaning="nothing | to learn"))
COSTS = {
    **{BASE: Cost(1_000_000, 2_000_000_000, 0.05), AGAIN: Cost(1_000_000, 2_000_000_000, 0.051)},
    **{"se": Cost(1_002_560, 2_000_100_000, 0.06), "simam": Cost(1_000_000, 2_000_000_000, 0.055)},
}
SETTING = dict.fromkeys(("date", "release", "torch", "python", "cores", "threads", "repeats"), "7")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_block_has_its_costs_and_its_checks(language: str) -> None:
    found = [Measured(f"yolo{n}.yaml", COSTS, {"se": CHECKS, "simam": CHECKS}) for n in ("v8", "26")]
    lines = tables(language, found, BLOCKS, SETTING).splitlines()
    assert [line for line in lines if line.startswith("#")] == ["### YOLOv8n", "### YOLO26n", "### SE", "### SimAM"]
    passed, skipped = WORDS[language]["pass"], WORDS[language]["skip"]
    assert lines.count(f"| SE | +2,560 | +0.000 | 1.20 | 1 {passed}, 1 {skipped} |") == 2
    assert lines.count("| `sight` | pass 0.98 | pass 0.98 |") == 2
    assert lines.count(r"| `gradient` | skip nothing \| to learn | skip nothing \| to learn |") == 2


def test_both_languages_say_all_of_every_block() -> None:
    assert sorted(USE) == sorted(bundled())
    assert WORDS["en"].keys() == WORDS["zh"].keys()


@pytest.mark.parametrize("language", PAGES)
def test_only_what_is_between_the_marks_is_replaced(language: str) -> None:
    text = PAGES[language].read_text("utf-8")
    once = placed(text, "| a |")
    assert once.startswith(text.split(BEGIN)[0])
    assert once.endswith(text.split(END)[1])
    assert placed(once, "| a |") == once
