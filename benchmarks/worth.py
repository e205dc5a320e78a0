"""What our block is worth, by `a2patch compare`: on digits, on a near-sighted network, and on real photographs.

    python benchmarks/worth.py name|tuned|odd|far|trees [--seeds 8] [--epochs 64] [--out FOLDER] [--jobs 2]
        [--models FILE...] [--pretrained WEIGHTS.pt]

Each writes its data and, where it needs them, its models below FOLDER, patches a copy of a release there, and runs the
command, which is printed first. Given again, it goes on where it was stopped. `--models` names further models.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.tasks import TASKS
from benchmarks.tree import RELEASE, patched
from patches import releases


def folder_of(task: str) -> Path:
    """Where a comparison is kept that is not told another place."""
    return releases.cache(os.environ).parent / "worth" / task


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
    folder = (arguments.out or folder_of(arguments.task)).absolute()
    site = folder / "site-packages"
    if not site.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        patched(site)
    asked = task.prepare(folder, site / "ultralytics")
    pretrained = arguments.pretrained or asked.pretrained
    words = ["compare", "--data", str(asked.data), "--base", asked.base, *asked.others, *arguments.models, "--control"]
    words += ["--seeds", str(arguments.seeds or task.seeds), "--epochs", str(arguments.epochs or task.epochs)]
    words += ["--jobs", str(arguments.jobs), "-o", str(folder / "runs"), "--device", "cpu"]
    words += ["--pretrained", str(pretrained)] if pretrained else []
    words += ["--ultralytics-path", str(site), "--python", sys.executable, "--"]
    words += [f"{name}={value}" for name, value in task.arguments.items()]
    print(f"ultralytics {RELEASE}:", shlex.join(["a2patch", *words]), flush=True)
    return subprocess.run([sys.executable, str(ROOT / "cli.py"), *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
