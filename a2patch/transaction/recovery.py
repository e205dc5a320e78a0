"""Finish or undo what a command left that died in its commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from a2patch.errors import ConflictError
from a2patch.transaction import files, journal, origin
from a2patch.transaction.journal import Step, digest
from a2patch.transaction.steps import can_finish, finish, undo
from a2patch.tree import Tree, read_file, remove


def finish_or_undo(tree: Tree, notify: Callable[[str], None]) -> None:
    """Finish or undo what a dead command left in a tree; the lock must be held.

    Args:
        tree: The tree.
        notify: Takes a line on what was done.

    Raises:
        ConflictError: A file was edited since.
        A2PatchError: No command of ours left it.
        OSError: The tree can't be written to.
    """
    loaded = journal.load(tree)
    if loaded is None:
        if strays := files.strays(tree):
            for place in strays:
                remove(place)
            notify("an interrupted a2patch had changed nothing yet: what it had prepared was removed")
        return
    command, steps = loaded
    for step in steps:
        if digest(read_file(step.place)) not in {digest(step.before), step.after}:
            raise ConflictError(
                f"a file was edited while an interrupted `a2patch {command}` waited to be finished",
                path=step.place,
                remedy=f"Put it back, or delete {tree.path(journal.PATH)} to keep the tree as it stands: "
                "`a2patch status` then tells how that is.",
            )
    ending = "was finished"
    if all(digest(read_file(step.place)) == step.after for step in steps):
        finish(tree, steps)
    elif not _is_brought_to_an_end(tree, command, steps):
        ending = "could not be finished, and was undone"
    notify(f"an interrupted `a2patch {command}` {ending}")


def _is_brought_to_an_end(tree: Tree, command: str, steps: Sequence[Step]) -> bool:
    """Finish what a dead command left, or undo it; return whether it was finished.

    Raises:
        A2PatchError: No command of ours left it.
    """
    ends = origin.check(tree, command, steps)
    try:
        if "finish" not in ends:
            raise FileNotFoundError("a block of its user's is put in by its user only")
        if not all(can_finish(step) for step in steps):
            raise FileNotFoundError("what it was about to write is gone")
        finish(tree, steps)
    except OSError:  # what can't be finished may still be undone; the error of undoing it reaches the user
        if "undo" not in ends:
            raise
        undo(tree, steps)
        return False
    return True
