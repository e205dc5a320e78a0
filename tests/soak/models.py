"""Try model files that were changed at random: what upstream builds passes, and what is faulted is what was changed.

    python -m tests.soak.models [--count 2000] [--seed 0] [--release 8.4.190]

Each file is a stock model with one change: an index off by one, a row put in, left out or moved, an argument of another
kind, a key that is missing, or no change but that of its form. It counts as wrong where a file that only its form sets
apart is faulted, where one passes that upstream can't build, and where the reason of a fault names nothing of what was
changed. 2,000 files take about a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from a2patch.runner.verify import Subject
from patches import releases
from tests.support.command import patch
from tests.support.models import load, stock_texts
from tests.support.mutants import Mutant, mutant
from tests.support.probes import Checks, tried

CHECKS = ("build", "wiring", "scale", "stride")
MODELS = (
    "yolov5.yaml",
    "yolov8.yaml",
    "yolov8-p2.yaml",
    "yolov8-seg.yaml",
    "yolov8-pose.yaml",
    "yolov8-ghost.yaml",
    "yolov9t.yaml",
    "yolov10n.yaml",
    "yolo11.yaml",
    "yolo11-cls.yaml",
    "yolo12.yaml",
    "yolo26.yaml",
)
AT_ONCE = 100  # files a process
BUILD = """
import sys
sys.path.insert(0, sys.argv[1])
from ultralytics import YOLO
for path in sys.argv[2:]:
    try:
        YOLO(path, verbose=False).model
        print("ok")
    except BaseException as error:
        print("no")
"""


def main() -> int:
    """Try, print, and return whether anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--release", default="8.4.190")
    arguments = parser.parse_args()
    started = time.monotonic()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory(prefix="a2patch-models-") as folder:
        cache = releases.cache(os.environ)
        package = patch(releases.unpack(arguments.release, cache, Path(folder, "tree")).resolve())
        stock = {name: load(text) for name, text in stock_texts(arguments.release, cache).items() if name in MODELS}
        for first in range(0, arguments.count, AT_ONCE):
            seeds = range(arguments.seed + first, arguments.seed + min(first + AT_ONCE, arguments.count))
            for seed, made, verdict in judged(package, stock, seeds, Path(folder, str(first))):
                counts[made.change][verdict.partition(":")[0]] += 1
                if verdict.startswith("wrong"):
                    print(f"seed {seed}, {made.change} in {made.file}, rows {sorted(made.rows)}: {verdict}", flush=True)
    total = sum(counts.values(), Counter[str]())
    for change, found in sorted(counts.items()):
        print(f"{change}: {', '.join(f'{number} {what}' for what, number in sorted(found.items()))}")
    faulted = total["faulted"] + total["wrong reason"]
    print(
        f"{sum(total.values())} files: {total['passed']} sound and passed, {total['missed']} changed and passed; "
        f"{faulted} faulted, {total['faulted']} of these with the right reason; "
        f"{total['wrong alarm']} sound ones faulted, {total['wrong pass']} passed that can't be built; "
        f"{time.monotonic() - started:.0f} s"
    )
    return int(any(what.startswith("wrong") for what in total))


def judged(package: Path, stock: dict[str, dict], seeds: range, folder: Path) -> list[tuple[int, Mutant, str]]:  # type: ignore[type-arg]
    """Make a file for each seed, try it, and say what to think of what was found."""
    made = {}
    for seed in seeds:
        rng = random.Random(seed)
        name = rng.choice(sorted(stock))
        made[seed] = mutant(name, stock[name], rng)
    subjects = {}
    for seed, one in made.items():
        path = folder / str(seed) / one.file
        path.parent.mkdir(parents=True)
        path.write_bytes(one.content)
        subjects[str(seed)] = Subject(path)
    (folder / "work").mkdir()
    found = tried(package, subjects, CHECKS, folder / "work")
    unreadable = unreadables(folder / "work", list(subjects))
    builds = built(package, [subject.file for subject in subjects.values()], folder)
    return [
        (seed, one, verdict(one, found[str(seed)], unreadable[str(seed)], builds=builds[i]))
        for i, (seed, one) in enumerate(made.items())
    ]


def unreadables(work: Path, names: list[str]) -> dict[str, str]:
    """Return why each file can't be read, empty for those that can."""
    events = [work.joinpath(str(number), "events.jsonl").read_text("utf-8") for number in range(len(names))]
    found = [re.search(r'"error": ?"(.*)"', text) if "ModelUnreadable" in text else None for text in events]
    return {name: match.group(1) if match else "" for name, match in zip(names, found, strict=True)}


def built(package: Path, files: list[Path], folder: Path) -> list[bool]:
    """Return whether upstream builds each file."""
    variables = {**os.environ, "YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
    command = [sys.executable, "-c", BUILD, str(package.parent), *map(str, files)]
    answer = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    return [line == "ok" for line in answer.stdout.split("\n") if line in ("ok", "no")]


def verdict(made: Mutant, checks: Checks, unreadable: str, *, builds: bool) -> str:
    """Say what to think of what was found in a file."""
    faults = [f"{c.meaning} {c.figure}" for c in checks.values() if c.result == "fail"] + [unreadable] * bool(
        unreadable
    )
    if not faults:
        return (
            "wrong pass: upstream can't build it" if not builds else "missed" if made.rows or made.words else "passed"
        )
    if made.sound and builds:  # another width may be one that a later row can't take
        return f"wrong alarm: {' | '.join(faults)}"
    named = {int(number) for text in faults for number in re.findall(r"(?:row|layer|and|In \S+) (\d+)\b", text)}
    named |= {int(number) for text in faults for number in re.findall(r"\b(\d+) \(\w+", text)}
    right = made.sound or named & made.rows or any(word in text for word in made.words for text in faults)
    return "faulted" if right else f"wrong reason: {' | '.join(faults)}"


if __name__ == "__main__":
    sys.exit(main())
