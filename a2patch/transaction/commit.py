"""Commit a plan: completely or not at all, whatever happens in between.

The order of a commit is what makes it safe:

1. Lock the tree.
2. Write each new content to a temporary file next to its target, and sync it. Nothing of the tree has changed: a death
   here is undone by removing the temporary files.
3. Put the journal, which names them all, in place in one atomic step. From here a death is finished by the next
   command.
4. Move each temporary file over its target with `os.replace`, which breaks no hard link and is never half done.
5. Remove the journal, then the lock.

Where step 4 fails for good (a target that can't be replaced), what was done is undone from the journal's copy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Protocol, TypeVar

from a2patch.errors import A2PatchError, AccessError
from a2patch.patch import Change
from a2patch.transaction import files, journal, lock, recovery
from a2patch.transaction.files import FOLDER, RECEIPT, explained
from a2patch.transaction.journal import Step, digest
from a2patch.transaction.steps import finish, prepare, remove_preparations, undo
from a2patch.tree import Tree


class Writes(Protocol):
    """What a command has worked out."""

    @property
    def writes(self) -> Sequence[Change]:
        """Every file that the command changes, the receipt last; empty where there is nothing to do."""


Notify = Callable[[str], None]
Found = TypeVar("Found")
Planned = TypeVar("Planned", bound=Writes)

_HALF_DONE = "The command lies half done, and its journal is kept: `a2patch recover` finishes or undoes it."


def transact(tree: Tree, command: str, notify: Notify, look: Callable[[], Planned]) -> Planned:
    """Work out what a command changes in a tree while no other command writes to it, and commit that.

    Args:
        tree: The tree.
        command: The name of the command, for the journal.
        notify: Takes a line on what is waited for and what was recovered.
        look: Works out what changes; where it raises, the tree stays as it was.

    Returns:
        What `look` returned.

    Raises:
        LockedError: Another command holds the lock and does not let go.
        AccessError: The tree can't be written to, and there is something to write.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(tree, notify))
        except AccessError:
            found = read_consistently(tree, notify, look)
            if found.writes:
                raise
            return found
        found = look()
        commit(tree, command, found.writes)
        return found


def read_consistently(tree: Tree, notify: Notify, look: Callable[[], Found]) -> Found:
    """Look at a tree without its lock, and look again if a command was at work meanwhile.

    Args:
        tree: The tree.
        notify: Takes a line on what is waited for and what was recovered.
        look: Reads the tree.

    Returns:
        What `look` returned.
    """
    while True:
        recover(tree, notify)
        before = _stamp(tree)
        try:
            found = look()
        except A2PatchError:
            if _stamp(tree) == before:
                raise
        else:
            if _stamp(tree) == before:
                return found


@contextmanager
def locked(tree: Tree, notify: Notify) -> Iterator[None]:
    """Hold the lock of a tree, after finishing or undoing what a dead command left in it.

    Args:
        tree: The tree.
        notify: Takes a line on what is waited for and what was recovered.

    Raises:
        LockedError: Another command holds it and does not let go.
        AccessError: The tree can't be written to.
    """
    with explained(tree.package):
        held = lock.acquire(tree, notify)
    failed = True
    try:
        with explained(tree.package, _HALF_DONE):
            recovery.finish_or_undo(tree, notify)
        yield
        failed = False
    finally:
        # By their plain paths: a link there, which `Tree.path` refuses, must not keep the lock from being let go of.
        keep = any(os.path.lexists(tree.package / path) for path in (RECEIPT, journal.PATH))
        lock.release(tree, held, keep=keep, unfinished=failed and bool(files.strays(tree)))


def recover(tree: Tree, notify: Notify) -> bool:
    """Finish or undo what a dead command left in a tree; write nothing where no command died.

    Args:
        tree: The tree.
        notify: Takes a line on what is waited for and what was recovered.

    Returns:
        Whether there was anything.

    Raises:
        A2PatchError: There is, and it can be neither finished nor undone.
    """
    if not tree.path(FOLDER).is_dir():
        return False
    if tree.path(RECEIPT).exists() and not tree.path(journal.PATH).exists() and not lock.left(tree):
        return False
    with locked(tree, notify):
        return True


def commit(tree: Tree, command: str, changes: Sequence[Change]) -> None:
    """Bring changes to disk. The lock must be held.

    Args:
        tree: The tree.
        command: The name of the command, for the journal.
        changes: Every file that changes, the receipt last.

    Raises:
        AccessError: A file can't be written; the tree is as it was.
        ConflictError: A file is no longer as it was when the changes were worked out.
    """
    if not changes:
        return
    steps = [Step(change.path, tree.path(change.path), change.before, digest(change.after)) for change in changes]
    try:
        with explained(tree.package):
            prepare(tree, command, changes, steps)
    except BaseException:
        with explained(tree.package, _HALF_DONE):
            remove_preparations(tree, steps)
        raise
    try:
        try:
            finish(tree, steps)
        except KeyboardInterrupt:  # a moment more, and nothing is left half done
            finish(tree, steps)
            raise
    except OSError as error:
        with explained(tree.package, _HALF_DONE):
            undo(tree, steps)
        with explained(tree.package):
            raise error


def _stamp(tree: Tree) -> tuple[int, ...]:
    """Return what differs once a command has taken the lock or let go of it, since both change a folder."""
    times = [tree.package.stat().st_mtime_ns]
    with suppress(FileNotFoundError):  # no patch and no command, or one that has just ended
        times.append(tree.path(FOLDER).stat().st_mtime_ns)
    return (lock.left(tree), *times)
