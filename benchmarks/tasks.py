"""What `worth.py` trains on: tasks drawn from digits, for YOLOv8n and a near-sighted network, and photographs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a2patch.block import bundled
from benchmarks import digits, trees
from benchmarks.transplant import Bench, shift
from benchmarks.tree import a2patch
from patches import releases

IMAGES = 320  # to train on; half as many to validate on
# As the other benchmarks train: nothing chosen by itself, nothing that alters what a digit means.
_DRAWN = {
    **dict.fromkeys(("mosaic", "close_mosaic", "fliplr", "scale", "translate", "hsv_h", "hsv_s", "hsv_v"), 0),
    **{"batch": 16, "nbs": 16, "optimizer": "AdamW", "lr0": 0.003, "warmup_epochs": 1, "warmup_bias_lr": 0},
    **{"cache": "ram", "amp": False},
}
_PHOTOGRAPHS = {"imgsz": 320, "batch": 16, "optimizer": "AdamW", "lr0": 0.002, "cache": "ram", "amp": False}
_OTHER_BLOCKS = ("coord_att", "ema")  # the two of those that come with a2patch that look at places
_TUTORIAL, _OURS = "yolov8n_DANet.yaml", "yolov8n_A2.yaml"

Row = tuple[str, list[Any]]  # a module and its arguments, as a model file has them


@dataclass(frozen=True)
class Comparison:
    """What is handed to the command.

    Attributes:
        data: The description of the data.
        base: The stock model.
        others: What is compared with it.
        pretrained: The weights that all start from; none for fresh ones.
    """

    data: Path
    base: str
    others: list[str]
    pretrained: Path | None = None


@dataclass(frozen=True)
class Task:
    """A task, and how it is trained.

    Attributes:
        title: What is asked, in a picture.
        seeds: How many trainings of each model.
        epochs: How long.
        arguments: What ultralytics trains with.
        prepare: Writes data and models below a folder, given the package of the tree.
    """

    title: str
    seeds: int
    epochs: int
    arguments: dict[str, Any]
    prepare: Callable[[Path, Path], Comparison]


def near(*added: Row) -> dict[str, Any]:
    """Return a network of a few layers, whose head sees a window of 63 pixels.

    Three convolutions down to stride 8, one more, and two in the head see 3, 7, 15, 31, 47 and 63. The point that a
    cell answers for stands half a cell beside the middle of its window, which reaches 35 pixels one way from there and
    28 the other.

    Args:
        added: Rows behind the layer that tells digits apart.
    """
    kinds: list[Row] = [("Conv", [64, 3, 2]), ("Conv", [128, 3, 2]), ("Conv", [256, 3, 2]), ("Conv", [256, 3, 1])]
    kinds += [*added, ("Conv", [256, 1, 1])]
    rows = [[-1, 1, *kind] for kind in kinds]
    head = [[[len(rows) - 1], 1, "Detect", ["nc"]]]
    return {"nc": 80, "scales": {"n": [0.33, 0.25, 1024]}, "backbone": rows, "head": head}


def _name(folder: Path, package: Path) -> Comparison:
    return Comparison(digits.write(folder / "data", "name", 0, IMAGES, 96), "yolov8n.yaml", [_OURS])


def _tuned(folder: Path, package: Path) -> Comparison:
    start = Bench(folder / "start")
    start.prepare()
    data = digits.write(folder / "data", "name", 1, IMAGES, 96)
    shift(folder / "data")
    return Comparison(data, "yolov8n.yaml", [_OURS], start.weights)


def _odd(folder: Path, package: Path) -> Comparison:
    return Comparison(digits.write(folder / "data", "odd", 0, IMAGES, 64), "yolov8n.yaml", [_OURS, _TUTORIAL])


def _far(folder: Path, package: Path) -> Comparison:
    models = {
        "near": near(),
        "near-ours": near(("DoubleAttentionBlock", [0.25])),
        "near-tutorial": near(("DoubleAttentionLayer", [256, 1])),
    }
    for name, model in models.items():
        folder.joinpath(f"{name}.yaml").write_text(json.dumps(model))  # JSON is YAML
    base, *others = (str(folder / f"{name}.yaml") for name in models)
    return Comparison(digits.write(folder / "data", "far", 0, IMAGES, 192), base, others)


def _trees(folder: Path, package: Path) -> Comparison:
    wheel = trees.fetch(releases.cache(os.environ))
    others = [str(_with_block(name, folder, package)) for name in _OTHER_BLOCKS]
    return Comparison(trees.write(folder / "data", wheel), "yolov8n.yaml", [_OURS, *others])


def _with_block(name: str, folder: Path, package: Path) -> Path:
    """Return YOLOv8n with a block that comes with a2patch where `yolov8_A2.yaml` has ours; written as a user would."""
    (block,) = bundled()[name].classes
    file = folder / f"yolov8n_{block.name}.yaml"
    if not file.exists():
        place = ["--ultralytics-path", str(package), "--python", sys.executable]
        a2patch("apply", name, "--no-verify", *place)
        row = ["--block", block.name, "--args", ",".join(map(str, block.args))]
        a2patch("insert", "--base", "yolov8", *row, "--at", "P3", "--at", "P4", "-o", str(file), *place)
    return file


TASKS = {
    "name": Task("name the digits", 8, 64, {**_DRAWN, "imgsz": 96}, _name),
    "tuned": Task("name them, from trained weights", 8, 32, {**_DRAWN, "imgsz": 96, "lr0": 0.0007}, _tuned),
    "odd": Task("find the odd one out", 3, 48, {**_DRAWN, "imgsz": 64}, _odd),
    "far": Task("far apart, near-sighted", 8, 24, {**_DRAWN, "imgsz": 192}, _far),
    "trees": Task("photographs of tree crowns", 3, 60, _PHOTOGRAPHS, _trees),
}
