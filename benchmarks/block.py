"""The layer as shipped beside its straightforward form: time and memory, in one run.

    python benchmarks/block.py [--repeats 7] [--threads 1 2] [--batch 1 4] [--plot block.svg]

The straightforward form makes `A = convA(x)` at every position, gathers `A B^T`, distributes, and reconstructs at every
position, with the same parameters. Sizes are those of YOLOv8 n, s and l at 640 px. Each figure is the straightforward
form over ours, medians of interleaved repeats, so that above 1 ours is faster; `saved` is what autograd keeps for the
backward pass, in sizes of x. The greatest difference of the outputs in float64 is printed with them.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch

SOURCE = Path(__file__).resolve().parent.parent / "patches/sources/double_attention.py"
WIDTHS = {"n": 0.25, "s": 0.5, "l": 1.0}
STAGES = {"P2": (128, 160), "P3": (256, 80), "P4": (512, 40), "P5": (512, 20)}  # channels at width 1, side at 640 px
SHAPES: dict[str, Callable[[int], tuple[int, int, bool]]] = {
    "C/4, C/4": lambda c: (c // 4, c // 4, True),
    "C/2, C/8": lambda c: (c // 2, c // 8, True),
    "C, 1, no reconstruct": lambda c: (c, 1, False),
}


@dataclass(frozen=True)
class Row:
    """The mean over the widths of what was measured at one stage.

    Attributes:
        shape: One of `SHAPES`.
        stage: One of `STAGES`.
        threads: How many threads computed.
        batch: How many images.
        forward: Time of the straightforward form over ours, forward.
        both: The same, forward and backward.
        before: What the straightforward form keeps for the backward pass, in sizes of x.
        after: What ours keeps.
        difference: The greatest difference of the outputs in float64.
    """

    shape: str
    stage: str
    threads: int
    batch: int
    forward: float
    both: float
    before: float
    after: float
    difference: float


def main() -> None:
    """Read the arguments, measure, print a table, and draw it where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="*", default=[1])
    parser.add_argument("--batch", type=int, nargs="*", default=[1])
    parser.add_argument("--plot", type=Path, help="where to draw the ratios, as SVG or PNG; needs matplotlib")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, {arguments.repeats} repeats; mean over n, s, l at 640 px")
    print()
    print("| c_m, c_n | threads | batch | stage | forward | forward+backward | saved | difference |")
    print("|---|---|---|---|---|---|---|---|")
    rows = []
    for shape, threads, batch, stage in product(SHAPES, arguments.threads, arguments.batch, STAGES):
        row = measured(shape, stage, threads, batch, arguments.repeats)
        rows.append(row)
        saved = f"{row.before:.2f} to {row.after:.2f}"
        times = f"{row.forward:.2f} | {row.both:.2f}"
        print(f"| {shape} | {threads} | {batch} | {stage} | {times} | {saved} | {row.difference:.0e} |", flush=True)
    if arguments.plot:
        draw(rows, arguments.plot)


def measured(shape: str, stage: str, threads: int, batch: int, repeats: int) -> Row:
    """Both forms at one stage, the mean over the widths."""
    torch.set_num_threads(threads)
    layer = _layer()
    channels, side = STAGES[stage]
    found = []
    for width in WIDTHS.values():
        c = int(channels * width)
        found.append(compare(layer(c, *SHAPES[shape](c)), torch.randn(batch, c, side, side), repeats))
    means = [sum(column) / len(found) for column in zip(*found, strict=True)]
    return Row(shape, stage, threads, batch, *means)


def draw(rows: list[Row], path: Path) -> None:
    """Draw how many times as fast ours is, a panel for each shape."""
    from matplotlib import pyplot

    settings = list(dict.fromkeys((row.threads, row.batch) for row in rows))
    figure, panels = pyplot.subplots(1, len(SHAPES), figsize=(12, 3.6), layout="constrained", squeeze=False)
    for panel, shape in zip(panels[0], SHAPES, strict=True):
        for threads, batch in settings:
            mine = [row for row in rows if (row.shape, row.threads, row.batch) == (shape, threads, batch)]
            label = f"{threads} threads, batch {batch}" if threads > 1 else f"1 thread, batch {batch}"
            (line,) = panel.plot([row.stage for row in mine], [row.forward for row in mine], "o-", label=label)
            panel.plot([row.stage for row in mine], [row.both for row in mine], "o--", color=line.get_color())
        panel.axhline(1, color="grey", linewidth=0.8)
        panel.set(title=f"c_m, c_n: {shape}", ylim=(0, None))
    panels[0][0].set_ylabel("straightforward time / ours\nforward, and dashed with backward")
    panels[0][-1].legend(fontsize="small")
    figure.savefig(path)


def straightforward(layer: Any, x: torch.Tensor) -> torch.Tensor:
    """The layer as its definition reads, with the parameters of ours."""
    a = layer.convA(x).flatten(2)
    b = layer.convB(x).flatten(2).softmax(2)
    v = layer.convV(x).flatten(2).softmax(1)
    z = torch.bmm(torch.bmm(a, b.transpose(1, 2)), v).reshape(x.shape[0], -1, *x.shape[2:])
    return layer.conv_reconstruct(z) if layer.reconstruct else z


def compare(layer: Any, x: torch.Tensor, repeats: int) -> tuple[float, float, float, float, float]:
    """Both forms on one input.

    Returns:
        Ratio of forward times, ratio of forward and backward times, what each saves in sizes of x, and the greatest
        difference of the outputs in float64.
    """
    forms: list[Callable[[torch.Tensor], torch.Tensor]] = [lambda t: straightforward(layer, t), layer]

    def both(form: Callable[[torch.Tensor], torch.Tensor]) -> None:
        form(x.requires_grad_()).sum().backward()

    with torch.no_grad():
        forward = ratio([lambda form=form: form(x) for form in forms], repeats)  # type: ignore[misc]
    backward = ratio([lambda form=form: both(form) for form in forms], repeats)  # type: ignore[misc]
    saved = [_saved(form, x, list(layer.parameters())) for form in forms]
    layer.double()
    wide = x.detach().double()
    difference = float((straightforward(layer, wide) - layer(wide)).abs().max().detach())
    return forward, backward, saved[0], saved[1], difference


def ratio(runs: list[Callable[[], object]], repeats: int) -> float:
    """The first's median time over the second's, their repeats interleaved."""
    times: list[list[float]] = [[], []]
    for _ in range(repeats + 1):
        for run, found in zip(runs, times, strict=True):
            started = time.perf_counter()
            run()
            found.append(time.perf_counter() - started)
    return statistics.median(times[0][1:]) / statistics.median(times[1][1:])


def _saved(form: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, parameters: list[torch.Tensor]) -> float:
    """What the backward pass keeps, in sizes of x, beyond x and the parameters."""
    there = {tensor.untyped_storage().data_ptr() for tensor in (x, *parameters)}
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in there:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = form(x.requires_grad_())
    del result
    size = x.numel() * x.element_size()
    return float(sum(kept.values()) / size)


def _layer() -> Any:
    spec = importlib.util.spec_from_file_location("double_attention", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.DoubleAttentionLayer


if __name__ == "__main__":
    main()
