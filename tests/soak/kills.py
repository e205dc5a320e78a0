"""Kill whole commands at random moments, for real, and let two run into each other; part of `make faults`."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from a2patch.errors import LockedError
from a2patch.transaction import commit as transaction
from a2patch.transaction import look_at
from a2patch.tree import tree
from patches import releases
from tests.support import miniature
from tests.support.files import Snapshot
from tests.support.injection import DONE, LOCKED, forked
from tests.support.miniature import act
from tests.support.scenarios import RELEASE, Score, state


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
