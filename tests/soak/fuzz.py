"""Feed spoiled files, environments, checkpoints and paths to every verb: each has a clear ending, nothing is torn.

    python -m tests.soak.fuzz [--minutes N] [--inputs N] [--seed N] [--jobs N] [--torch N]

Every input has a number of its own, from which it is made; `--seed N --inputs 1` tries one again. What must hold of
each: an exit code from 0 to 4, a document that docs/schema.json describes, no exception, an end within seconds; no
byte outside the tree, nothing left in TMPDIR, the tree as it was wherever a command refuses or only looks, and as it
was before once a patch is taken out again; only verbs that try a model start a Python, no code of a checkpoint runs.
Exit code 5, an error of ours, counts as a fault. Needs a POSIX system.

Most run in this process, and where a model would be built the interpreter is a script whose probe dies; one in 500 is a
process of its own. With `--torch N`, N spoiled checkpoints are tried with torch besides, two seconds each, in children
of a process that has imported it once.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from patches import releases
from tests.soak.faults import fast
from tests.support.fuzzing.checkpoints import SOUND
from tests.support.fuzzing.inputs import made
from tests.support.fuzzing.trier import Trier
from tests.support.fuzzing.world import restore, state


@dataclass
class Score:
    """What came out: how many inputs came to what, by what was spoiled and typed."""

    came: Counter[str] = field(default_factory=Counter)
    outside: int = 0
    faults: list[str] = field(default_factory=list)

    def note(self, came: str, faults: list[str], told: str) -> None:
        """Note one more."""
        self.came[came] += 1
        for fault in faults:
            self.faults.append(f"FAULT: {told}\n{fault}")
            print(self.faults[-1], file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Share:
    """What one process is to try: every so many inputs, until there are enough or time is up."""

    job: int
    jobs: int
    first: int
    inputs: int
    give_up: float
    base: Path
    cache: Path


def worker(share: Share) -> Score:
    """Try a share of the inputs."""
    trier, score = Trier(share.base / f"job-{share.job}", share.cache), Score()
    world = trier.world
    for number in range(share.first + share.job, share.first + share.inputs, share.jobs):
        if time.monotonic() > share.give_up:
            break
        given = made(number, world, SOUND)
        came, faults = trier.tried(given)
        score.note(f"{given.kind:<12} {came}", faults, f"seed {number}: {given}")
        score.outside += given.is_outside
    restore(world.root, {}, state(world.root))
    return score


def torch_worker(share: Share) -> Score:
    """Try checkpoints with torch."""
    from tests.support.fuzzing.forked import ForkedTrier

    trier, score = ForkedTrier(share.base / "torch", share.cache), Score()
    for number in range(share.first, share.first + share.inputs):
        if time.monotonic() > share.give_up:
            break
        came, faults = trier.tried(number)
        score.note(f"{'with torch':<12} {came}", faults, f"number {number} of those with torch")
    os.chdir("/")
    return score


def run(*, first: int, inputs: int, seconds: float, jobs: int, torch: int = 0) -> Score:
    """Try inputs, and return what they came to.

    Args:
        first: The number of the first.
        inputs: How many to try at most.
        seconds: When to stop.
        jobs: How many to try at once.
        torch: How many checkpoints to try with torch.
    """
    give_up, total = time.monotonic() + seconds, Score()
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=fast()) as folder:
        base = Path(folder).resolve()
        cache = releases.cache(os.environ)  # before each job gets a home of its own
        shares = [Share(job, jobs, first, inputs, give_up, base, cache) for job in range(jobs)]
        # Each in a process that nothing else uses: they change it for good.
        with multiprocessing.get_context("spawn").Pool(jobs + bool(torch), maxtasksperchild=1) as pool:
            scores = [pool.apply_async(worker, (share,)) for share in shares]
            if torch:
                scores.append(pool.apply_async(torch_worker, (Share(0, 1, first, torch, give_up, base, cache),)))
            for score in (each.get() for each in scores):
                total.came.update(score.came)
                total.outside += score.outside
                total.faults += score.faults
    return total


def main() -> int:
    """Run everything, print how many inputs came to what, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="when to stop")
    parser.add_argument("--inputs", type=int, default=10**9, help="how many to try at most")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the number of the first")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="how many to try at once")
    parser.add_argument("--torch", type=int, default=100, help="how many checkpoints to try with torch")
    asked = parser.parse_args()
    print(f"seeds from {asked.seed}", flush=True)
    seconds, jobs = asked.minutes * 60, min(asked.jobs, asked.inputs)
    total = run(first=asked.seed, inputs=asked.inputs, seconds=seconds, jobs=jobs, torch=asked.torch)
    for came, count in sorted(total.came.items()):
        print(f"{came:<36} {count:>7}")
    print(f"{sum(total.came.values())} inputs, {total.outside} in processes of their own, {len(total.faults)} faults")
    return 1 if total.faults else 0


if __name__ == "__main__":
    sys.exit(main())
