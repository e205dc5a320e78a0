"""What the commands cost that a user waits for, each beside a peer in the same run.

    python benchmarks/commands.py [--repeats 15] [--model-repeats 3] [--release 8.4.190]

Prints medians of interleaved repeats, and each as a ratio to its peer. What a2patch costs of itself is seen against
`--help`, the cheapest that it does; what it does to a tree, against `git apply` of the same diffs by hand; what tries
models, against an interpreter that only imports torch and the tree. `--model-repeats 0` leaves the last out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.measuring import Run, medians
from patches import releases

OURS = (sys.executable, str(ROOT / "cli.py"))
PEERS = (
    ("a2patch --help", "pip --help"),
    ("a2patch status", "a2patch --help"),
    ("a2patch apply --no-verify", "a2patch --help"),
    ("a2patch apply --no-verify", "git apply"),
    ("a2patch revert", "git apply --reverse"),
    ("a2patch verify", "import torch, ultralytics"),
    ("a2patch verify --quick", "import torch, ultralytics"),
    ("a2patch insert", "import torch, ultralytics"),
)
"""What is timed, and what beside."""


def main() -> None:
    """Read the arguments, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--model-repeats", type=int, default=3, help="how often what tries models is repeated")
    parser.add_argument("--release", default="8.4.190")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="a2patch-bench-") as folder:
        sites = [Path(folder) / name / "site-packages" for name in ("stock", "patched")]
        for site in sites:
            releases.unpack(arguments.release, releases.cache(os.environ), site)
        found = medians(on_files(sites[0], Path(folder)), arguments.repeats)
        if arguments.model_repeats:
            found |= medians(on_models(sites[1], Path(folder)), arguments.model_repeats)
    report(found)


def on_files(site: Path, folder: Path) -> dict[str, Run]:
    """Return the commands that only read and write files, in an order in which each finds what it needs."""
    tree = ("--ultralytics-path", str(site))
    patch = folder / "ours.diff"
    dry = subprocess.run([*OURS, "apply", "--dry-run", *tree], check=True, capture_output=True)
    patch.write_bytes(dry.stdout)
    return {
        "pip --help": _run(folder, sys.executable, "-m", "pip", "--help"),
        "a2patch --help": _run(folder, *OURS, "--help"),
        "git apply": _run(site, "git", "apply", str(patch)),
        "git apply --reverse": _run(site, "git", "apply", "--reverse", str(patch)),
        "a2patch apply --no-verify": _run(folder, *OURS, "apply", "--no-verify", *tree),
        "a2patch status": _run(folder, *OURS, "status", *tree),
        "a2patch revert": _run(folder, *OURS, "revert", *tree),
    }


def on_models(site: Path, folder: Path) -> dict[str, Run]:
    """Return the commands that build models, on a tree that is patched first."""
    tree = ("--ultralytics-path", str(site), "--python", sys.executable)
    _run(folder, *OURS, "apply", "--no-verify", *tree)()
    row = ("--base", "yolov8", "--at", "P3", "-o", str(folder / "one.yaml"), "--force")
    settings = {"PYTHONPATH": str(site), "YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true"}
    settings |= {"YOLO_AUTOINSTALL": "false", "PYTHONDONTWRITEBYTECODE": "1"}
    return {
        "import torch, ultralytics": _run(folder, sys.executable, "-c", "import torch, ultralytics", **settings),
        "a2patch verify": _run(folder, *OURS, "verify", *tree),
        "a2patch verify --quick": _run(folder, *OURS, "verify", "--quick", *tree),
        "a2patch insert": _run(folder, *OURS, "insert", "--costs", *row, *tree),
    }


def report(medians: Mapping[str, float]) -> None:
    """Print a table: the median of each, and its ratio to its peer."""
    print("| command | median, s | peer | median, s | ratio |\n|---|---|---|---|---|")
    for name, peer in PEERS:
        if name in medians:
            ratio = medians[name] / medians[peer]
            print(f"| `{name}` | {medians[name]:.3f} | `{peer}` | {medians[peer]:.3f} | {ratio:.1f} |")


def _run(folder: Path, *command: str, **settings: str) -> Run:
    """Return what runs a command in a folder, with more environment variables than ours."""
    return lambda: subprocess.run(command, cwd=folder, env=os.environ | settings, check=True, capture_output=True)


if __name__ == "__main__":
    main()
