"""What the added layers cost a whole YOLOv8 at 640 px, beside the stock model in the same run.

    python benchmarks/step.py [--release 8.4.190] [--scales n s] [--repeats 9] [--threads 1] [--batch 1]

A patched copy of the release is made in a temporary folder. Each figure is how much longer the model with our layers
takes than the stock one, in per cent: medians of interleaved repeats of inference, and of a forward and backward pass
as training makes them. `noise` is what the same comparison says of the stock model and a second copy of it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from a2patch import commands, releases
from a2patch import tree as trees

STOCK = "yolov8{}.yaml"
OURS = ("yolov8{}_A2.yaml", "yolov8{}_DANet.yaml")
SIDE = 640


def main() -> None:
    """Read the arguments, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="8.4.190")
    parser.add_argument("--scales", nargs="*", default=["n", "s"])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="a2patch-step-") as folder:
        package = releases.unpack(arguments.release, releases.cache(os.environ), Path(folder).resolve())
        commands.apply(trees.find(package), lambda text: print(text, file=sys.stderr))
        os.environ |= {"YOLO_CONFIG_DIR": folder, "YOLO_OFFLINE": "true"}
        sys.path.insert(0, str(package.parent))
        table(arguments)


def table(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    import torch
    from ultralytics.nn.tasks import DetectionModel

    torch.set_num_threads(arguments.threads)
    setting = f"{arguments.threads} threads, batch {arguments.batch}, {SIDE} px, {arguments.repeats} repeats"
    print(f"ultralytics {arguments.release}, torch {torch.__version__}, {setting}")
    print()
    print("| model | inference | forward and backward |")
    print("|---|---|---|")
    images = torch.rand(arguments.batch, 3, SIDE, SIDE)
    for scale in arguments.scales:
        names = [STOCK.format(scale), STOCK.format(scale), *(name.format(scale) for name in OURS)]
        models = [DetectionModel(name, verbose=False) for name in names]
        inference = medians([lambda m=model: infer(m, images) for model in models], arguments.repeats)  # type: ignore[misc]
        training = medians([lambda m=model: train(m, images) for model in models], arguments.repeats)  # type: ignore[misc]
        for name, *times in zip(["noise", *names[2:]], inference[1:], training[1:], strict=True):
            told = [
                f"{100 * (t / base - 1):+.1f} %" for t, base in zip(times, (inference[0], training[0]), strict=True)
            ]
            label = f"{names[0]}, {name}" if name == "noise" else name
            print(f"| {label} | {' | '.join(told)} |", flush=True)


def infer(model: Any, images: Any) -> None:
    """One inference."""
    import torch

    with torch.no_grad():
        model.eval()(images)


def train(model: Any, images: Any) -> None:
    """One forward and backward pass in training."""
    model.zero_grad()
    maps = model.train()(images)
    maps = maps["one2many"] if isinstance(maps, dict) and "one2many" in maps else maps
    found = maps.values() if isinstance(maps, dict) else maps
    sum(x.float().mean() for x in found if hasattr(x, "mean")).backward()


def medians(runs: list[Callable[[], object]], repeats: int) -> list[float]:
    """The median time of each, in seconds, their repeats interleaved; the first of each warms up."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats + 1):
        for run, found in zip(runs, times, strict=True):
            started = time.perf_counter()
            run()
            found.append(time.perf_counter() - started)
    return [statistics.median(found[1:]) for found in times]


if __name__ == "__main__":
    main()
