"""Nothing of Double Attention stands outside of its own folder and the package of blocks."""

from __future__ import annotations

import re

from tests.support.command import ROOT

WORDS = re.compile(r"DoubleAttention|double_attention")
LEFT = {  # what the probe tells of checkpoints by the names in them, whichever blocks a tree has
    "a2patch/probe/runtime/load.py",
    "a2patch/probe/transplant/target.py",
}


def test_no_file_names_it_but_those_of_the_blocks() -> None:
    places = [*ROOT.glob("a2patch/**/*.py"), ROOT / "cli.py"]
    found = {place.relative_to(ROOT).as_posix() for place in places if WORDS.search(place.read_text("utf-8"))}
    assert {path for path in found if not path.startswith("a2patch/block/")} <= LEFT
