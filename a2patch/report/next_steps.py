"""What a command advises to type next: it works from where its user stands, and on this very tree."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from a2patch.protocol import quoted
from a2patch.tree import Copy, Tree


def command(verb: str, named: Path | None) -> str:
    """Return what to type for a verb on the same tree.

    Args:
        verb: The verb, with its other arguments.
        named: How the user named the tree; None where it is the one that is found without a name.
    """
    return f"a2patch {verb}" + (f" --ultralytics-path {quoted(str(named))}" if named else "")


def training(tree: Tree, copies: Sequence[Copy], arguments: str, windows: bool = os.name == "nt") -> str:
    """Return the command that trains with this tree; empty where the command `yolo` belongs to another package.

    Args:
        tree: The tree.
        copies: Every copy of ultralytics in sight: `yolo` may use another, unless it is told where this one is.
        arguments: What follows `yolo`.
        windows: Whether it is for the shell of Windows.
    """
    if tree.is_renamed:
        return ""
    program = f"yolo {arguments}"
    own = next((copy for copy in copies if copy.program and copy.package == tree.package), None)
    used = {copy.package for copy in copies if copy.used_by.startswith("`yolo")}
    if used == {tree.package} and (own is None or own.on_path):
        return program
    if own is not None:  # another Python's `yolo` could not use what lies beside this package
        return f"{quoted(str(own.program), windows)} {arguments}"
    folder = str(tree.package.parent)
    return f'set "PYTHONPATH={folder}" && {program}' if windows else f"PYTHONPATH={quoted(folder, windows)} {program}"


def relative(path: Path, folder: Path) -> str:
    """Return a path as it can be typed in a folder: relative to it where it lies below."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
