"""Comparisons of four models and three seeds on drawn data, whole and killed, on this machine and on a Ray cluster.

    python -m tests.soak.comparisons [--only whole kills ray] [--epochs 48] [--python PYTHON]

`whole` makes one that nothing interrupts: a model against itself is not told apart, and a blind one (the tutorial's)
is told to be worse. `kills` makes it again while trainings, and the command, are killed at random moments, until it is
finished: every figure of every epoch must be the same. `ray` does so on two local nodes, bound to 127.0.0.1, of which
one is removed, while workers are killed; it is skipped where ray is not installed. `--python` names the interpreter of
the tree where it is not this one. Three quarters of an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from a2patch.protocol import VALIDATED, EpochDone, decode
from patches import releases
from tests.support.command import ROOT, patch
from tests.support.trees import NEWEST

SETTINGS = {
    **{"imgsz": 64, "batch": 4, "nbs": 4, "optimizer": "AdamW", "lr0": 0.003, "warmup_epochs": 1, "warmup_bias_lr": 0},
    **dict.fromkeys(("mosaic", "close_mosaic", "fliplr", "scale", "translate", "hsv_h", "hsv_s", "hsv_v"), 0),
}
MODELS = ("yolov8n_DANet.yaml", "again8.yaml")
SEEDS = 3
DRAW = "from pathlib import Path; from a2patch.probe.checks.train import draw_dataset; draw_dataset(Path('data'))"


def command(folder: Path, python: str, output: str, epochs: int, *more: str) -> list[str]:
    """Return the comparison as it is typed."""
    fixed = ["--data", "data/data.yaml", "--base", "yolov8n.yaml", *MODELS, "--control", "--jobs", "2", "-o", output]
    tree = ["--ultralytics-path", str(folder / "site-packages"), "--python", python]
    counts = ["--seeds", str(SEEDS), "--epochs", str(epochs)]
    arguments = [f"{name}={value}" for name, value in SETTINGS.items()]
    return [sys.executable, str(ROOT / "cli.py"), "compare", *fixed, *tree, *counts, *more, "--", *arguments]


def told(folder: Path) -> dict[str, Any]:
    """Return all that the epochs of all trainings told, but how long they took."""
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("runs/*/*/events.jsonl")):
        epochs = [event for event in map(decode, path.read_text().splitlines()) if isinstance(event, EpochDone)]
        found["/".join(path.parts[-3:-1])] = {e.epoch: (e.figures, repr(e.classes)) for e in epochs}
    for path in sorted(folder.glob("runs/*/*/sizes.json")):  # to the last digit, too, where they can be worked out
        found["/".join(path.parts[-3:])] = path.read_text()
    return found


def whole(folder: Path, python: str, epochs: int) -> None:
    """Make the comparison that nothing interrupts, and look at what it says."""
    subprocess.run(command(folder, python, "whole", epochs), cwd=folder, check=True)
    found = json.loads(folder.joinpath("whole", "compare.json").read_text())
    outcomes = {m["label"]: m["beside"][0]["last"]["mAP50-95"]["outcome"] for m in found["models"][1:]}
    print(outcomes)
    for run in folder.joinpath("whole", "runs").glob("*/*"):
        assert run.joinpath(VALIDATED).is_file(), run
    assert outcomes["again8"] == "undecided"
    assert outcomes["yolov8n_DANet"] == "worse"


def until_finished(folder: Path, words: list[str], kill: Callable[[psutil.Process, random.Random], None]) -> int:
    """Run a command, killing at random moments, until it ends by itself; return how often it was begun."""
    chance = random.Random(0)
    for attempt in range(1, 60):
        process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            time.sleep(chance.uniform(5, 40))
            if process.poll() is None and attempt < 12:
                kill(psutil.Process(process.pid), chance)
        if process.returncode == 0:
            return attempt
    raise AssertionError("it never ended")


def kill_something(command: psutil.Process, chance: random.Random) -> None:
    """Kill the command, or one of its trainings."""
    children = command.children()
    victim = command if not children or chance.random() < 0.3 else chance.choice(children)
    victim.kill()
    if victim is command:  # which is waited for by who began it: whoever else does takes away how it ended
        assert psutil.wait_procs(children, timeout=10)[1] == [], "a training goes on without its command"


def kills(folder: Path, python: str, epochs: int) -> None:
    """Make it again while all is killed, and compare every figure."""
    attempts = until_finished(folder, command(folder, python, "killed", epochs), kill_something)
    print(f"finished after {attempts} commands")
    assert told(folder / "killed") == told(folder / "whole")


@contextmanager
def cluster() -> Iterator[Any]:
    """Start a Ray cluster of two nodes, and yield it with the second."""
    from ray.cluster_utils import Cluster

    local = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=local)
    second = made.add_node(num_cpus=1, node_ip_address="127.0.0.1")
    try:
        yield made, second
    finally:
        made.shutdown()


def ray(folder: Path, python: str, epochs: int) -> None:
    """Make it again on a cluster that loses workers and a node."""
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # else ray looks for 127.0.0.1 at this machine's own address
    try:
        import ray  # noqa: F401
    except ImportError:
        print("skipped: ray is not installed")
        return
    with cluster() as (made, second):
        words = command(folder, python, "ray", epochs, "--ray", made.address)
        removed: list[bool] = []

        def kill(_: psutil.Process, chance: random.Random) -> None:
            if not removed:
                made.remove_node(second, allow_graceful=False)
                removed.append(True)
                return
            found = [(p, " ".join(p.info["cmdline"] or ())) for p in psutil.process_iter(["cmdline"])]
            ours = [p for p, words in found if "a2patch/probe" in words and str(folder) in words]
            workers = [parent for p in ours if (parent := p.parent()) and "ray" in parent.name()]
            if workers:
                chance.choice(workers).kill()

        until_finished(folder, words, kill)
    assert told(folder / "ray") == told(folder / "whole")


PARTS: dict[str, Callable[[Path, str, int], None]] = {"whole": whole, "kills": kills, "ray": ray}


def main() -> None:
    """Make the comparisons that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--epochs", type=int, default=48)
    parser.add_argument("--python", default=sys.executable)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="a2patch-comparisons-") as name:
        folder = Path(os.path.realpath(name))
        package = releases.unpack(NEWEST, releases.cache(os.environ), folder / "site-packages")
        patch(folder / "site-packages")
        shutil.copy(package / "cfg/models/v8/yolov8.yaml", folder / "again8.yaml")
        variables = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run([arguments.python, "-c", DRAW], cwd=folder, env=variables, check=True)
        for part in PARTS:
            if part in arguments.only or part == "whole":
                print(f"--- {part}", flush=True)
                PARTS[part](folder, arguments.python, arguments.epochs)
    print("all figures are the same")


if __name__ == "__main__":
    main()
