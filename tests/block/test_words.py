"""Nothing of Double Attention stands outside of its own folder and the package of blocks."""

from __future__ import annotations

import re

from tests.support.command import ROOT

WORDS = re.compile(r"DoubleAttention|double_attention")
SPOKEN = re.compile(r"double attention|\bc_n\b", re.IGNORECASE)


def test_what_any_block_goes_through_speaks_of_none() -> None:
    places = [*ROOT.glob("a2patch/*/transplant*.py"), *ROOT.glob("a2patch/probe/transplant/*.py")]
    places += [ROOT / "a2patch/probe/checks" / f"{name}.py" for name in ("sight", "learn", "build", "register")]
    assert len(places) > 10
    assert [place.name for place in places if SPOKEN.search(place.read_text("utf-8"))] == []


def test_no_file_names_it_but_those_of_the_blocks() -> None:
    places = [*ROOT.glob("a2patch/**/*.py"), ROOT / "cli.py"]
    found = {place.relative_to(ROOT).as_posix() for place in places if WORDS.search(place.read_text("utf-8"))}
    assert {path for path in found if not path.startswith("a2patch/block/")} == set()
