"""Draw the picture of the READMEs: a stock model, the same with a row put in by hand, and as `a2patch insert` makes it.

python -m docs.picture TREE     # a patched tree; writes docs/wiring.svg
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from a2patch.block import BLOCK, CLASSES
from a2patch.report.diagram import draw
from a2patch.report.markup import Markup, element, together
from a2patch.runner import QUICK, Subject, Wiring, figures
from a2patch.runner.verify import verify
from a2patch.tree import tree

_STYLE = """
svg { font: 11.5px system-ui, sans-serif; --ink: #1d2430; --muted: #7b8494; --line: #c4cad4; --panel: #f6f7f9;
  --ours: #2563b8; --ours-soft: #e3edfb; --bad: #c62f2f; --good: #1c7d46; --paper: #fff; }
@media (prefers-color-scheme: dark) { svg { --ink: #e6e9ee; --muted: #949dab; --line: #4a5260; --panel: #1e242d;
  --ours: #7fb0f5; --ours-soft: #1f3350; --bad: #ff7b72; --good: #5fce8a; --paper: #0d1117; } }
.title { font: 600 11px ui-monospace, monospace; } .said { font-size: 13px; }
"""
_GAP = 16
_TOP = 24


def main(package: Path) -> None:
    """Write the picture, drawn by what draws a report."""
    found = tree.find(package).package
    stock = found.joinpath("cfg/models/v8/yolov8.yaml").read_text("utf-8")
    row = f"  - [-1, 1, {BLOCK}, [0.25]]\n"
    fourth = next(re.finditer(r"(?m)^ +- \[-1, 6, C2f, \[256, True\]\].*\n", stock))
    with tempfile.TemporaryDirectory() as folder:
        by_hand = Path(folder, "by-hand.yaml")
        by_hand.write_text(stock[: fourth.end()] + row + stock[fourth.end() :], "utf-8")
        broken = _wiring(found, Subject(by_hand, found / "cfg/models/v8/yolov8.yaml"))
        mended = Path(folder, "a2patch-insert.yaml")
        mended.write_bytes(_inserted(found))
        sound = replace(_wiring(found, Subject(mended)), base="", base_graph=None)
    pictures = [draw(wiring, CLASSES) for wiring in (broken, sound)]
    texts = ("A row put in by hand: it builds, and reads the wrong layers", "As a2patch insert makes it")
    Path("docs/wiring.svg").write_text(_side_by_side(pictures, texts) + "\n", "utf-8")


def _wiring(package: Path, subject: Subject) -> Wiring:
    python, variables = Path(sys.executable), dict(os.environ)
    verdict = verify(package, python, None, print, variables, only=QUICK, subject=subject)
    (wiring,) = figures.take(package, verdict, print, variables, only=("wiring",), subject=subject).wiring
    return wiring


def _inserted(package: Path) -> bytes:
    from a2patch.graph import parse
    from a2patch.runner import Insertion
    from a2patch.runner.insert import insert_models

    order = Insertion(package / "cfg/models/v8/yolov8.yaml", (parse("after:4"),))
    return insert_models(package, Path(sys.executable), order, print, dict(os.environ)).models[0].content


def _side_by_side(pictures: list[Markup], texts: tuple[str, ...]) -> Markup:
    """Return several pictures as one, a sentence above each."""
    pieces, left, height = [], 0.0, 0.0
    for picture, text in zip(pictures, texts, strict=True):
        wide, high = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', picture)[0])
        placed = picture.replace("<svg ", f'<svg x="{left:g}" y="{_TOP}" width="{wide:g}" height="{high:g}" ', 1)
        pieces += [element("text", text, x=left + 2, y=15, class_="said"), Markup(placed)]
        left, height = left + max(wide, 7.0 * len(text)) + _GAP, max(height, high + _TOP)
    css = Path("a2patch/report/html.css").read_text("utf-8")
    rules = "\n".join(line for line in css.splitlines() if line.startswith(".diagram") and "display" not in line)
    style = Markup(f"<style>{_STYLE}.said {{ fill: var(--ink); }}\n{rules}</style>")
    size = f"0 0 {left:g} {height:g}"
    return element("svg", style, together(*pieces), xmlns="http://www.w3.org/2000/svg", viewBox=size, role="img")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
