"""What each block that comes with a2patch costs at P3, P4 and P5, beside a 3x3 convolution in the same run.

    python benchmarks/blocks.py [--blocks se ema] [--scale n] [--threads 1] [--batch 1] [--repeats 31]

Sizes are those of YOLOv8 at 640 px; blocks have their papers' settings. Times are medians of interleaved repeats, in
milliseconds, and over the convolution's: below 1 the block is faster. The convolution has as many channels as the block
and no bias. GFLOPs are the multiplications and additions of convolutions and matrix products, as torch counts them; of
an attention block most of the time goes into means and gates, which are not among them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.measuring import medians

import torch  # isort: skip
from torch.utils.flop_counter import FlopCounterMode

WIDTHS = {"n": 0.25, "s": 0.5, "m": 0.75, "l": 1.0, "x": 1.25}
STAGES = {"P3": (256, 80), "P4": (512, 40), "P5": (1024, 20)}  # channels at width 1, side at 640 px
GREATEST = {"n": 1024, "s": 1024, "m": 768, "l": 512, "x": 512}  # channels before the width counts
PEER = "3x3 convolution"
NAMES = sorted(
    path.parent.name for path in ROOT.glob("patches/*/reference.py") if (path.parent / "block.toml").exists()
)


@dataclass(frozen=True)
class Row:
    """What a block costs at one stage.

    Attributes:
        title: The block's class, or the peer's name.
        parameters: How many it has.
        flops: Operations of its convolutions and matrix products, forward, for one image.
        forward: Seconds.
        both: Seconds, forward and backward in training.
    """

    title: str
    parameters: int
    flops: int
    forward: float
    both: float


def main() -> None:
    """Read the arguments, measure, print a table for each stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", nargs="*", default=NAMES, choices=NAMES)
    parser.add_argument("--scale", default="n", choices=list(WIDTHS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=31)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    setting = f"{arguments.threads} threads, batch {arguments.batch}, {arguments.repeats} repeats"
    print(f"torch {torch.__version__}, YOLOv8{arguments.scale} at 640 px, {setting}")
    for stage, (channels, side) in STAGES.items():
        c = int(min(channels, GREATEST[arguments.scale]) * WIDTHS[arguments.scale])
        print(f"\n{stage}, {c} channels, {side} x {side}\n")
        print(table(measured(arguments.blocks, c, side, arguments.batch, arguments.repeats)), flush=True)


def measured(names: Iterable[str], c: int, side: int, batch: int, repeats: int) -> list[Row]:
    """Measure blocks and their peer on the same images; the peer comes first."""
    torch.manual_seed(0)
    modules = {PEER: torch.nn.Conv2d(c, c, 3, padding=1, bias=False)}
    for name in names:
        block = load(name)
        modules[block.__name__] = block(c)
    x = torch.randn(batch, c, side, side)
    forward = medians({title: partial(infer, module, x) for title, module in modules.items()}, repeats)
    both = medians({title: partial(train, module, x) for title, module in modules.items()}, repeats)
    return [
        Row(title, sum(p.numel() for p in module.parameters()), flops(module, x[:1]), forward[title], both[title])
        for title, module in modules.items()
    ]


def load(name: str) -> Any:
    """Return the class of a block of `patches/`."""
    source = ROOT / "patches" / name / f"{name}.py"
    namespace: dict[str, Any] = {"__name__": name}
    exec(compile(source.read_text(encoding="utf-8"), str(source), "exec"), namespace)
    (title,) = namespace["__all__"]
    return namespace[title]


def infer(module: Any, x: torch.Tensor) -> None:
    """One inference."""
    with torch.no_grad():
        module.eval()(x)


def train(module: Any, x: torch.Tensor) -> None:
    """One forward and backward pass in training."""
    module.zero_grad()
    module.train()(x.detach().requires_grad_()).sum().backward()


def flops(module: Any, x: torch.Tensor) -> int:
    """Operations of one inference that torch counts."""
    with FlopCounterMode(display=False) as counter:
        infer(module, x)
    return int(counter.get_total_flops())


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown, with times over those of the first."""
    head = (
        "block",
        "parameters",
        "GFLOPs",
        "forward, ms",
        "over the peer",
        "forward and backward, ms",
        "over the peer",
    )
    lines = [_cells(head), f"{'|---' * len(head)}|"]
    for row in rows:
        times = (
            cell
            for time, peer in ((row.forward, rows[0].forward), (row.both, rows[0].both))
            for cell in (f"{1e3 * time:.2f}", f"{time / peer:.2f}")
        )
        lines.append(_cells((row.title, f"{row.parameters:,}", f"{row.flops / 1e9:.4f}", *times)))
    return "\n".join(lines)


def _cells(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
