"""Does the block help, and on what? Real ultralytics trainings on the CPU, of equal budgets in each task.

    python benchmarks/learn.py [--only main far study] [--jobs 2] [--out RUNS.jsonl] [--plot CURVES.svg]
    python benchmarks/learn.py --table [--out RUNS.jsonl] [--plot CURVES.svg]

`main` trains YOLOv8n on two tasks: stock, with as many plain parameters as ours adds, the tutorial's, and ours. `far`
does the same to a near-sighted network, on a task that it can't see all of. `study` trains variants of ours: other
places, widths and starts of the gate. Each training runs in a process of its own, on a patched copy of a release.

Each outcome is added to the file of `--out` as a line of JSON as soon as it is there, and what is there is not trained
again: stop when you like, and start again to go on. `--table` trains nothing, and prints what there is.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import figures, outcomes
from benchmarks.contenders import MAIN, NEAR, NEAR_STUDY, STUDY
from benchmarks.digits import TASKS
from benchmarks.outcomes import Outcome, Trial
from patches import releases

RELEASE = "8.4.190"
# Which contenders are trained on which tasks.
COMPARISONS = {
    "main": (("odd", MAIN), ("name", MAIN)),
    "far": (("far", NEAR),),
    "study": (("odd", STUDY), ("far", NEAR_STUDY)),
}
EPOCHS = {"odd": 48, "name": 32, "far": 24}
EVERY = 4  # epochs from one validation to the next


def main() -> int:
    """Read the arguments, train what has not been trained yet, print the tables.

    Returns:
        How many trainings failed.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(COMPARISONS), default=["main", "far"])
    parser.add_argument("--out", type=Path, default=releases.cache(os.environ).parent / "learn.jsonl")
    parser.add_argument("--table", action="store_true", help="train nothing")
    parser.add_argument("--plot", type=Path, help="draw the curves into this file")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="trainings at once, each on one thread")
    parser.add_argument("--images", type=int, default=320)
    parser.add_argument("--rate", type=float, default=0.003)
    arguments = parser.parse_args()
    failed = 0
    if not arguments.table:
        there = {outcome.trial for outcome in outcomes.load(arguments.out)}
        wanted = plan(arguments.only, arguments)
        failed = train([trial for trial in wanted if trial not in there], arguments.out, arguments.jobs)
    asked = set(plan(COMPARISONS, arguments))
    found = [outcome for outcome in outcomes.load(arguments.out) if outcome.trial in asked]
    print(figures.tables(found))
    if arguments.plot:
        figures.plot(found, arguments.plot)
    return failed


def plan(comparisons: Iterable[str], arguments: argparse.Namespace) -> list[Trial]:
    """Lay out the trials of some comparisons, of equal budgets in each task."""
    return [
        Trial(task, name, seed, arguments.images, EPOCHS[task], TASKS[task].size, arguments.rate, EVERY)
        for comparison in comparisons
        for task, contenders in COMPARISONS[comparison]
        for seed, name in itertools.product(range(arguments.seeds), contenders)
    ]


def train(trials: list[Trial], out: Path, jobs: int) -> int:
    """Run trials, and add each outcome to a file as it comes.

    Args:
        trials: What to run, in this order.
        out: The file.
        jobs: How many at once.

    Returns:
        How many failed.
    """
    failed = 0
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="a2patch-learn-") as scratch, ThreadPoolExecutor(jobs) as pool:
        site = patched(Path(scratch) / "site-packages")
        started = time.monotonic()
        runs = {pool.submit(attempt, trial, site, Path(scratch)): trial for trial in trials}
        try:
            for number, run in enumerate(as_completed(runs), start=1):
                trial = runs[run]
                outcome, told = run.result()
                if outcome:
                    with out.open("a", encoding="utf-8") as lines:
                        lines.write(json.dumps(asdict(outcome)) + "\n")
                else:
                    failed += 1
                minutes = (time.monotonic() - started) / 60
                print(f"{number}/{len(runs)}  {minutes:.0f} min  {trial.task} {trial.contender} {trial.seed}: {told}")
                sys.stdout.flush()
        finally:
            pool.shutdown(cancel_futures=True)
    return failed


def patched(site: Path) -> Path:
    """Unpack a release into a folder and patch it; give the folder."""
    releases.unpack(RELEASE, releases.cache(os.environ), site)
    a2patch("apply", "--no-verify", "--ultralytics-path", str(site))
    return site


def a2patch(*words: str) -> None:
    """Run a command of the checkout, and show what it says only where it fails.

    Raises:
        subprocess.CalledProcessError: It ended with another code than 0.
    """
    answer = subprocess.run([sys.executable, str(ROOT / "cli.py"), *words], capture_output=True, check=False)
    if answer.returncode:
        sys.stderr.buffer.write(answer.stdout + answer.stderr)
        answer.check_returncode()


def attempt(trial: Trial, site: Path, scratch: Path) -> tuple[Outcome | None, str]:
    """Run a trial in a process of its own.

    Args:
        trial: What to run.
        site: Holds the patched tree.
        scratch: For what it writes.

    Returns:
        Its outcome, or nothing if it failed, and what is to be said of it.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        command = [sys.executable, str(ROOT / "benchmarks/trial.py"), json.dumps(asdict(trial)), folder]
        answer = subprocess.run(command, env=_environment(site, folder), capture_output=True, text=True, check=False)
    if answer.returncode:
        return None, f"failed\n{answer.stderr[-2000:]}"
    outcome = Outcome.read(answer.stdout.splitlines()[-1])
    return outcome, f"mAP50-95 {outcome.curve[-1].overall:.3f}, {outcome.seconds:.0f} s"


def _environment(site: Path, settings: str) -> dict[str, str]:
    """Return variables that let the patched tree be imported, on one thread, with its own settings and no network."""
    return {
        **os.environ,
        "PYTHONPATH": str(site),
        "OMP_NUM_THREADS": "1",
        "YOLO_CONFIG_DIR": settings,
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        "ULTRALYTICS_SKIP_REQUIREMENTS_CHECKS": "1",
    }


if __name__ == "__main__":
    sys.exit(main())
