"""Commands on miniature trees that are stopped on the way, with what may be found afterwards; and the score of it."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from a2patch.patch import validate
from a2patch.transaction import Operation, operations
from a2patch.transaction import commit as transaction
from a2patch.tree import tree
from patches import releases
from tests.support import miniature
from tests.support.files import Snapshot, snapshot
from tests.support.miniature import act, quiet

RELEASE = "8.4.190"
COMMANDS = ("apply", "revert", "upgrade", "undo", "insert")  # undo: the way back of an upgrade that failed its verdict
INSTALLED = {"cfg/models/v8/yolov8_A2-p3.yaml": b"backbone: []\n"}

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
            operations.undo(tree.find(copy / relative), upgraded, quiet)
        else:
            act("revert" if command == "revert" else "apply", copy / relative)
    return Scenario(f"{command} on {kind}", template, relative, committed[0], (state(template), state(copy)))


def install(package: Path) -> None:
    """Put a model into a patched tree, as `a2patch insert --install` does."""
    operations.install(tree.find(package), INSTALLED, quiet)
