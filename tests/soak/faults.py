"""Stop a2patch at every operation, and at random moments; after one more command no tree may be torn.

    python -m tests.soak.faults [--rounds N] [--only-random]

Prints how many rounds there were, and how many trees were torn. A quarter of an hour on two cores; with
`--rounds 20 --only-random` half a minute. Needs a POSIX system, for its forks.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import filelock  # noqa: F401 (loaded once, not in each fork)

from a2patch.transaction import commit as transaction
from a2patch.tree import tree
from tests.soak.kills import killed_at_random, two_at_once
from tests.support import miniature
from tests.support.files import Snapshot
from tests.support.injection import DONE, KILLED, REFUSED, Injector, forked
from tests.support.miniature import quiet
from tests.support.scenarios import COMMANDS, Scenario, Score, scenario, state

MODES = ("kill", "tear", "fail", "dying disk", "interrupt")


def fast() -> str | None:
    """A folder in memory, where there is one: a killed process leaves the same there as on a disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def every_operation(
    case: Scenario, mode: str, base: Path, *, step: int = 1, recovery: str = "", recovery_step: int = 1
) -> Score:
    """Let each operation of a commit go wrong, and each of the recovery after it.

    Args:
        case: The command and the tree.
        mode: How it goes wrong.
        base: A folder to work in.
        step: 1 for each operation, more for every so many.
        recovery: How each operation of the recovery goes wrong as well; empty to let it alone.
        recovery_step: As `step`, for the recovery.
    """
    score = Score()
    for at in itertools.count(1, step):
        root = _stopped(case, base, mode, at, score)
        if root is None:
            return score
        length = 0
        if recovery:  # once without a fault, to count
            _, length = forked(lambda: _recover(case, root), lambda: Injector(root, "none", 1 << 30))  # noqa: B023
        for again in range(1, length + 1, recovery_step) if length else [0]:
            if again:
                _stopped(case, base, mode, at, score)
                forked(lambda: _recover(case, root), lambda: Injector(root, recovery, again))  # noqa: B023
            last, _ = forked(lambda: _recover(case, root))  # noqa: B023
            score.rounds += 1
            if last != DONE or state(root) not in case.allowed:
                _tell(score, case, f"{mode} at {at}, then at {again} of the recovery: exit {last}", state(root))
    raise AssertionError("unreachable")


def _commit(case: Scenario, root: Path) -> None:
    found = tree.find(root / case.package)
    with transaction.locked(found, quiet):
        transaction.commit(found, "apply", case.changes)


def _recover(case: Scenario, root: Path) -> None:
    transaction.recover(tree.find(root / case.package), quiet)


def _stopped(case: Scenario, base: Path, mode: str, at: int, score: Score) -> Path | None:
    """A copy of the tree in which an operation of the commit went wrong; None if there is no such operation."""
    root = base / "round"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(case.template, root, ignore=shutil.ignore_patterns(".git"))
    code, count = forked(lambda: _commit(case, root), lambda: Injector(root, mode, at))
    score.operations = max(score.operations, at if code == KILLED else 0)
    if code == REFUSED and mode != "dying disk" and (seen := state(root)) != case.allowed[0]:
        _tell(score, case, f"{mode} at {at}: told that the tree is as it was, and it is not", seen)
    return None if code == DONE and count < at else root


def _tell(score: Score, case: Scenario, what: str, seen: Snapshot) -> None:
    score.torn += 1
    known = case.allowed[1]
    paths = [path for path in sorted(set(seen) | set(known)) if seen.get(path) != known.get(path)]
    print(f"TORN: {case.name}: {what}; unlike the state after: {', '.join(paths)}", file=sys.stderr)


def _all(rounds: int, base: Path, *, each: bool) -> Iterator[tuple[str, Score]]:
    yield "SIGKILL at random moments", killed_at_random(miniature.KINDS, rounds, base, seed=rounds)
    shutil.rmtree(base / "wandering-installed")
    yield "two commands at once", two_at_once(200, base, seed=200)
    for kind, command in itertools.product(miniature.KINDS, COMMANDS if each else ()):
        case = scenario(kind, command, base)
        for mode in MODES:
            yield f"{case.name}: {mode}", every_operation(case, mode, base)
        step = 1 if kind == "installed" else 9  # the three kinds differ in what is committed, not in how
        score = every_operation(case, "kill", base, step=step, recovery="kill")
        yield f"{case.name}: kill, and kill the recovery", score


def main() -> int:
    """Run everything, print a line each and the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000, help="how many times a command is killed at random")
    parser.add_argument("--only-random", action="store_true", help="leave out the stops at each operation")
    asked, total = parser.parse_args(), Score()
    with tempfile.TemporaryDirectory(prefix="a2patch-faults-", dir=fast()) as folder:
        for title, score in _all(asked.rounds, Path(folder).resolve(), each=not asked.only_random):
            print(f"{title:<62} {score.rounds:>6} rounds  {score.torn} torn", flush=True)
            total.add(score)
    print(f"{total.rounds} rounds, {total.torn} torn trees")
    return 1 if total.torn else 0


if __name__ == "__main__":
    sys.exit(main())
