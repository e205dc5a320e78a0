"""What the commands cost that a user waits for, each beside a peer in the same run.

    python benchmarks/commands.py [--repeats 15] [--release 8.4.190]

Prints medians of interleaved repeats, and each as a ratio to its peer: `--help` to that of pip, and `apply --no-verify`
and `revert` on an installed tree to `git apply` of the same diffs by hand.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.measuring import Run, medians
from patches import releases


def main() -> None:
    """Read the arguments, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--release", default="8.4.190")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="a2patch-bench-") as folder:
        site = Path(folder) / "site-packages"
        releases.unpack(arguments.release, releases.cache(os.environ), site)
        ours = [sys.executable, str(ROOT / "cli.py")]
        patch = Path(folder) / "ours.diff"
        dry = [*ours, "apply", "--dry-run", "--ultralytics-path", str(site)]
        patch.write_bytes(subprocess.run(dry, check=True, capture_output=True).stdout)
        jobs: dict[str, Run] = {
            "pip --help": _run([sys.executable, "-m", "pip", "--help"], folder),
            "a2patch --help": _run([*ours, "--help"], folder),
            "git apply": _run(["git", "apply", str(patch)], str(site)),
            "git apply --reverse": _run(["git", "apply", "--reverse", str(patch)], str(site)),
            "a2patch apply --no-verify": _run([*ours, "apply", "--no-verify", "--ultralytics-path", str(site)], folder),
            "a2patch revert": _run([*ours, "revert", "--ultralytics-path", str(site)], folder),
        }
        found = medians(jobs, arguments.repeats)
    report(found)


def report(medians: dict[str, float]) -> None:
    """Print a table: the median of each, and its ratio to its peer."""
    peers = {
        "a2patch --help": "pip --help",
        "a2patch apply --no-verify": "git apply",
        "a2patch revert": "git apply --reverse",
    }
    print("| command | median, s | peer | median, s | ratio |\n|---|---|---|---|---|")
    for name, peer in peers.items():
        ratio = medians[name] / medians[peer]
        print(f"| `{name}` | {medians[name]:.3f} | `{peer}` | {medians[peer]:.3f} | {ratio:.1f} |")


def _run(command: list[str], folder: str) -> Run:
    return lambda: subprocess.run(command, cwd=folder, check=True, capture_output=True)


if __name__ == "__main__":
    main()
