"""Stop a2patch at every operation, and at random moments; after one more command no tree may be torn.

    python -m tests.soak.faults [--rounds N] [--only-random]

Prints how many rounds there were, and how many trees were torn. A quarter of an hour on two cores; with
`--rounds 20 --only-random` half a minute. Needs a POSIX system, for its forks.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import filelock  # noqa: F401 (loaded once, not in each fork)

from a2patch.errors import LockedError
from a2patch.patch import validate
from a2patch.transaction import Operation, look_at
from a2patch.transaction import commit as transaction
from a2patch.transaction import operations as commands
from a2patch.tree import tree
from patches import releases
from tests.support import miniature
from tests.support.files import Snapshot, snapshot
from tests.support.injection import DONE, KILLED, LOCKED, REFUSED, Injector, forked
from tests.support.miniature import act, quiet

RELEASE = "8.4.190"
COMMANDS = ("apply", "revert", "upgrade", "undo", "insert")  # undo: the way back of an upgrade that failed its verdict
INSTALLED = {"cfg/models/v8/yolov8_A2-p3.yaml": b"backbone: []\n"}
MODES = ("kill", "tear", "fail", "dying disk", "interrupt")

# What is proved of the same bytes once need not be proved in each of a thousand rounds.
validate.fault = functools.cache(validate.fault)


@dataclass(frozen=True)
class Scenario:
    """A command on a tree, with the two states that are allowed afterwards.

    Attributes:
        name: For messages.
        template: The tree before, to be copied for each round.
        package: Its package folder, relative to the template.
        changes: What the command commits.
        allowed: The bytes of all files before, and after.
    """

    name: str
    template: Path
    package: str
    changes: tuple[Any, ...]
    allowed: tuple[Snapshot, Snapshot]


@dataclass
class Score:
    """What came out."""

    rounds: int = 0
    operations: int = 0
    torn: int = 0

    def add(self, other: Score) -> None:
        self.rounds += other.rounds
        self.operations += other.operations
        self.torn += other.torn


def fast() -> str | None:
    """A folder in memory, where there is one: a killed process leaves the same there as on a disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def state(folder: Path) -> Snapshot:
    """Return what a round is judged by: every file and folder but those of the user's own repository."""
    return snapshot(folder, without={".git"})


def scenario(kind: str, command: str, base: Path) -> Scenario:
    """Make the tree that a command starts from, and find out what it does there."""
    template, old = base / f"{kind}-{command}", base / "old-patches"
    package = miniature.cut(RELEASE, releases.cache(os.environ), template, kind)
    if command in ("revert", "insert"):
        act("apply", package)
    if command in ("upgrade", "undo"):
        with miniature.older(old):
            act("apply", package)
            install(package)
    upgraded = act("apply", package) if command == "undo" else None
    copy = base / f"{kind}-{command}-after"
    shutil.copytree(template, copy)
    committed: list[tuple[Any, ...]] = []
    commit = transaction.commit

    def listen(where: tree.Tree, name: str, changes: Sequence[Any]) -> None:
        committed.append(tuple(changes))
        commit(where, name, changes)

    relative = package.relative_to(template).as_posix()
    with mock.patch.object(transaction, "commit", listen):
        if command == "insert":
            install(copy / relative)
        elif isinstance(upgraded, Operation):
            commands.undo(tree.find(copy / relative), upgraded, quiet)
        else:
            act("revert" if command == "revert" else "apply", copy / relative)
    return Scenario(f"{command} on {kind}", template, relative, committed[0], (state(template), state(copy)))


def install(package: Path) -> None:
    """Put a model into a patched tree, as `a2patch insert --install` does."""
    commands.install(tree.find(package), INSTALLED, quiet)


def _commit(case: Scenario, root: Path) -> None:
    found = tree.find(root / case.package)
    with transaction.locked(found, quiet):
        transaction.commit(found, "apply", case.changes)


def _recover(case: Scenario, root: Path) -> None:
    transaction.recover(tree.find(root / case.package), quiet)


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


def killed_at_random(kinds: Sequence[str], rounds: int, base: Path, seed: int) -> Score:
    """Kill whole commands at random moments, for real; the tree wanders between its two states."""
    chance, score = random.Random(seed), Score()
    kind_of = itertools.cycle(kinds)
    trees = {kind: _both(kind, base) for kind in kinds}
    for _ in range(rounds):
        kind = next(kind_of)
        package, root, allowed = trees[kind]
        now = state(root)
        command = "revert" if now == allowed[1] else "apply"
        _kill(package, command, chance)
        code, _ = forked(lambda: _any_command(package, chance.random()))  # noqa: B023
        score.rounds += 1
        if code != DONE or state(root) not in allowed:
            score.torn += 1
            print(f"TORN: {command} on {kind}, killed; exit {code}", file=sys.stderr)
    return score


def _both(kind: str, base: Path) -> tuple[Path, Path, tuple[Snapshot, Snapshot]]:
    root = base / f"wandering-{kind}"
    package = miniature.cut(RELEASE, releases.cache(os.environ), root, kind)
    before = state(root)
    act("apply", package)
    return package, root, (before, state(root))


def _kill(package: Path, command: str, chance: random.Random) -> None:
    """Half of the time anywhere in the command, else from the moment it begins to write."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        commit = transaction.commit

        def tell(*arguments: Any) -> None:
            os.write(writer, b"!")
            commit(*arguments)

        with mock.patch.object(transaction, "commit", tell):
            try:
                act(command, package)
            finally:
                os._exit(0)
    os.close(writer)
    if chance.random() < 0.7:
        os.read(reader, 1)
        time.sleep(chance.random() * 0.012)
    else:
        time.sleep(chance.random() * 0.15)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reader)


def _any_command(package: Path, which: float) -> None:
    """One more command: whichever, the first thing that it does is to finish or undo."""
    act("recover", package)
    if which < 0.3:
        look_at(tree.find(package))


def two_at_once(rounds: int, base: Path, seed: int) -> Score:
    """Let two commands run into each other; each does its work or is told that the tree is locked."""
    chance, score = random.Random(seed), Score()
    package, root, allowed = _both("installed", base)
    for _ in range(rounds):
        children = []
        for _ in range(2):
            command = chance.choice(["apply", "revert"])
            child = os.fork()
            if child == 0:
                code = 70
                try:
                    time.sleep(chance.random() * 0.02)
                    act(command, package)
                    code = DONE
                except LockedError:
                    code = LOCKED
                except BaseException as error:
                    os.write(2, f"{command}: {type(error).__name__}: {error}\n".encode())
                finally:
                    os._exit(code)
            children.append(child)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        score.rounds += 1
        if set(codes) - {DONE, LOCKED} or state(root) not in allowed:
            score.torn += 1
            print(f"TORN: two at once, exits {codes}", file=sys.stderr)
    return score


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
