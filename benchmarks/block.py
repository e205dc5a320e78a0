"""The layer as shipped, beside other ways to compute the same: time and memory, in one run.

    python benchmarks/block.py [--forms shipped fused attention] [--scales n s l] [--threads 1 2] [--batch 1 4]
                               [--repeats 9] [--plot block.svg]

The straightforward form makes `A = convA(x)` at every position, gathers `A B^T`, distributes, and reconstructs at every
position, with the same parameters; `forms.py` has the others. Sizes are those of YOLOv8 at 640 px. Times are the
straightforward form's over the other's, medians of interleaved repeats, so that above 1 the other is faster. `saved` is
what autograd keeps for the backward pass, `peak` the most that a forward and backward pass holds at once, both beyond
the input and in sizes of it. `difference` is the greatest of the outputs in float64. First come the scales one by one,
then their mean.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from itertools import product, starmap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.measuring import medians, peak  # before torch: quietens its profiler

import torch  # isort: skip

from benchmarks.forms import FORMS, Form

SOURCE = ROOT / "patches/double_attention/sources/double_attention.py"
WIDTHS = {"n": 0.25, "s": 0.5, "m": 0.75, "l": 1.0, "x": 1.25}
STAGES = {"P2": (128, 160), "P3": (256, 80), "P4": (512, 40), "P5": (512, 20)}  # channels at width 1, side at 640 px
SHAPES: dict[str, Callable[[int], tuple[int, int, bool]]] = {
    "C/4, C/4": lambda c: (c // 4, c // 4, True),
    "C/2, C/8": lambda c: (c // 2, c // 8, True),
    "C/2, C/2": lambda c: (c // 2, c // 2, True),
    "C, 1, no reconstruct": lambda c: (c, 1, False),
}
PEER = "straightforward"


@dataclass(frozen=True)
class Setting:
    """What is compared.

    Attributes:
        shape: One of `SHAPES`.
        form: One of `FORMS`, beside the straightforward one.
        threads: How many threads compute.
        batch: How many images.
        stage: One of `STAGES`.
    """

    shape: str
    form: str
    threads: int
    batch: int
    stage: str


@dataclass(frozen=True)
class Row:
    """What was measured.

    Attributes:
        forward: Time of the straightforward form over the other's, forward.
        both: The same, forward and backward.
        saved_before: What the straightforward form keeps for the backward pass, in sizes of x.
        saved: What the other keeps.
        peak_before: The most that the straightforward form holds at once, in sizes of x.
        peak: The most that the other holds.
        difference: The greatest difference of the outputs in float64.
    """

    forward: float
    both: float
    saved_before: float
    saved: float
    peak_before: float
    peak: float
    difference: float


def main() -> None:
    """Read the arguments, measure, print the tables, and draw them where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forms", nargs="*", default=["shipped"], choices=[name for name in FORMS if name != PEER])
    parser.add_argument("--scales", nargs="*", default=["n", "s", "l"], choices=list(WIDTHS))
    parser.add_argument("--threads", type=int, nargs="*", default=[1])
    parser.add_argument("--batch", type=int, nargs="*", default=[1])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--plot", type=Path, help="where to draw the ratios, as SVG or PNG; needs matplotlib")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, {arguments.repeats} repeats, 640 px\n\n{_head('scale')}")
    found: defaultdict[Setting, list[Row]] = defaultdict(list)
    for setting in starmap(Setting, product(SHAPES, arguments.forms, arguments.threads, arguments.batch, STAGES)):
        for scale in arguments.scales:
            found[setting].append(measured(setting, WIDTHS[scale], arguments.repeats))
            print(_line(scale, setting, found[setting][-1]), flush=True)
    print(f"\n{_head('mean')}")
    for setting, rows in found.items():
        print(_line(" ".join(arguments.scales), setting, mean(rows)))
    if arguments.plot:
        draw(found, arguments.plot)


def measured(setting: Setting, width: float, repeats: int) -> Row:
    """Compare a form with the straightforward one at a width."""
    torch.set_num_threads(setting.threads)
    channels, side = STAGES[setting.stage]
    c = int(channels * width)
    layer = _layer()(c, *SHAPES[setting.shape](c))
    x = torch.randn(setting.batch, c, side, side)
    forms = {name: FORMS[name] for name in (PEER, setting.form)}

    def forward(form: Form) -> None:
        with torch.no_grad():
            form(layer, x)

    def both(form: Form) -> None:
        form(layer, x.detach().requires_grad_()).sum().backward()

    ahead = medians({name: lambda f=form: forward(f) for name, form in forms.items()}, repeats)  # type: ignore[misc]
    back = medians({name: lambda f=form: both(f) for name, form in forms.items()}, repeats)  # type: ignore[misc]
    size = x.numel() * x.element_size()
    saved = [_saved(form, layer, x) / size for form in forms.values()]
    held = [peak(lambda f=form: both(f)) / size for form in forms.values()]  # type: ignore[misc]
    layer.double()
    expected, given = (form(layer, x.double()).detach() for form in forms.values())
    return Row(
        forward=ahead[PEER] / ahead[setting.form],
        both=back[PEER] / back[setting.form],
        saved_before=saved[0],
        saved=saved[1],
        peak_before=held[0],
        peak=held[1],
        difference=float((expected - given).abs().max()),
    )


def mean(rows: Sequence[Row]) -> Row:
    """The mean of rows; of the differences the greatest."""
    means = {field.name: sum(getattr(row, field.name) for row in rows) / len(rows) for field in fields(Row)}
    return replace(Row(**means), difference=max(row.difference for row in rows))


def _saved(form: Form, layer: Any, x: torch.Tensor) -> int:
    """What the backward pass keeps, in bytes, beyond x and the parameters."""
    x = x.detach().requires_grad_()
    there = {tensor.untyped_storage().data_ptr() for tensor in (x, *layer.parameters())}
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in there:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = form(layer, x)
    del result
    return sum(kept.values())


def draw(found: dict[Setting, list[Row]], path: Path) -> None:
    """Draw how many times as fast a form is, a panel for each shape: the mean over the scales and their span."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "a2patch"  # the same figures give the same file
    from matplotlib import pyplot

    lines = list(dict.fromkeys((setting.form, setting.threads, setting.batch) for setting in found))
    figure, panels = pyplot.subplots(
        2, len(SHAPES), figsize=(3 * len(SHAPES), 6), layout="constrained", sharey="col", squeeze=False
    )
    for column, shape in zip(panels.T, SHAPES, strict=True):
        for panel, part in zip(column, ("forward", "both"), strict=True):
            for form, threads, batch in lines:
                spans = [
                    [getattr(row, part) for row in found[Setting(shape, form, threads, batch, stage)]]
                    for stage in STAGES
                ]
                heights = [sum(span) / len(span) for span in spans]
                label = f"{form}, {threads} thread{'s' * (threads > 1)}, batch {batch}"
                (line,) = panel.plot(list(STAGES), heights, "o-", label=label)
                panel.fill_between(range(len(spans)), *zip(*((min(s), max(s)) for s in spans), strict=True),
                                   color=line.get_color(), alpha=0.15, linewidth=0)  # fmt: skip
            panel.axhline(1, color="grey", linewidth=0.8)
            panel.set(ylim=(0, None))
        column[0].set_title(f"c_m, c_n: {shape}", fontsize="medium")
    panels[0][0].set_ylabel("forward: straightforward / other")
    panels[1][0].set_ylabel("forward and backward")
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize="small")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _head(scales: str) -> str:
    names = ("c_m, c_n", "form", "threads", "batch", "stage", scales, "forward", "forward+backward", "saved", "peak",
             "difference")  # fmt: skip
    return f"{_cells(names)}\n{'|---' * len(names)}|"


def _line(scales: str, setting: Setting, row: Row) -> str:
    memory = f"{row.saved_before:.2f} to {row.saved:.2f}", f"{row.peak_before:.1f} to {row.peak:.1f}"
    return _cells(
        [*astuple(setting), scales, f"{row.forward:.2f}", f"{row.both:.2f}", *memory, f"{row.difference:.0e}"]
    )


def _cells(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _layer() -> Any:
    spec = importlib.util.spec_from_file_location("double_attention", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.DoubleAttentionLayer


if __name__ == "__main__":
    main()
