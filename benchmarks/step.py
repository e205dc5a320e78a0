"""What the added layers cost a whole YOLOv8 at 640 px, beside the stock model in the same run.

    python benchmarks/step.py [--release 8.4.190] [--scales n s] [--repeats 9] [--threads 1] [--batch 1]

A patched copy of the release is made in a temporary folder. Times are how much longer a model takes than the stock one,
in per cent: medians of interleaved repeats of inference, and of a forward and backward pass as training makes them.
`peak` is how much more memory such a pass holds at its most. `noise` is what the same comparison says of the stock
model and a second copy of it. Ours is tried in each of the ways to compute it that `forms.py` has.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from a2patch.transaction import operations
from a2patch.tree import tree
from benchmarks.measuring import medians, peak
from patches import releases

STOCK = "yolov8{}.yaml"
TUTORIAL = "yolov8{}_DANet.yaml"
OURS = "yolov8{}_A2.yaml"
NOISE = "noise"
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
        operations.apply(tree.find(package), lambda text: print(text, file=sys.stderr))
        os.environ |= {"YOLO_CONFIG_DIR": folder, "YOLO_OFFLINE": "true"}
        sys.path.insert(0, str(package.parent))
        table(arguments)


def table(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    import torch

    torch.set_num_threads(arguments.threads)
    setting = f"{arguments.threads} threads, batch {arguments.batch}, {SIDE} px, {arguments.repeats} repeats"
    print(f"ultralytics {arguments.release}, torch {torch.__version__}, {setting}")
    print()
    print("| scale | model | inference | forward and backward | peak |")
    print("|---|---|---|---|---|")
    images = torch.rand(arguments.batch, 3, SIDE, SIDE)
    for scale in arguments.scales:
        models = entrants(scale)
        measured = [
            medians({name: partial(infer, model, images) for name, model in models.items()}, arguments.repeats),
            medians({name: partial(train, model, images) for name, model in models.items()}, arguments.repeats),
            {name: float(peak(partial(train, model, images))) for name, model in models.items()},
        ]
        stock = STOCK.format(scale)
        for name in models:
            if name != stock:
                more = " | ".join(f"{100 * (found[name] / found[stock] - 1):+.1f} %" for found in measured)
                print(f"| {scale} | {name} | {more} |", flush=True)


def entrants(scale: str) -> dict[str, Any]:
    """The models to compare, by their names: the stock one, a second copy of it, and those with our layers."""
    from ultralytics.nn.tasks import DetectionModel

    from benchmarks.forms import FORMS, shipped

    stock, ours, tutorial = (name.format(scale) for name in (STOCK, OURS, TUTORIAL))
    models = {stock: DetectionModel(stock, verbose=False), NOISE: DetectionModel(stock, verbose=False)}
    for title, form in FORMS.items():
        models[f"{ours}, {title}"] = model = DetectionModel(ours, verbose=False)
        for layer in model.modules():
            if type(layer).__name__ == "DoubleAttentionLayer" and form is not shipped:
                layer.forward = partial(form, layer)
    models[tutorial] = DetectionModel(tutorial, verbose=False)
    return models


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


if __name__ == "__main__":
    main()
