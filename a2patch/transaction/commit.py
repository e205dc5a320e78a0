"""Commit a plan: wholly or not at all, whatever happens in between.

The order of a commit is what makes it safe:

1. Lock the tree.
2. Write each new content to a temporary file beside its target, and sync it. Nothing of the tree has changed: a death
   here is undone by removing the temporary files.
3. Put the journal, which names them all, in place in one atomic step. From here a death is finished by the next
   command.
4. Move each temporary file over its target with `os.replace`, which breaks no hard link and is never half done.
5. Remove the journal, then the lock.

Where step 4 fails for good (a target that can't be replaced), what was done is undone from the journal's copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from a2patch.errors import A2PatchError, ConflictError
from a2patch.patch import Change
from a2patch.transaction import files, journal, lock, receipt
from a2patch.transaction.files import FOLDER, explained
from a2patch.transaction.journal import Step, digest
from a2patch.tree import Tree

T = TypeVar("T")
Notify = Callable[[str], None]

_HALF_DONE = "The command lies half done, and its journal is kept: `a2patch recover` finishes or undoes it."


@contextmanager
def locked(tree: Tree, notify: Notify) -> Iterator[None]:
    """Hold the lock of a tree, once what a dead command left behind is finished or undone.

    Args:
        tree: The tree.
        notify: Told, in a line, what is waited for and what was recovered.

    Raises:
        LockedError: Another command holds it and does not let go.
        AccessError: The tree can't be written to.
    """
    with explained(tree.package):
        held = lock.acquire(tree, notify)
    try:
        with explained(tree.package, _HALF_DONE):
            _recover(tree, notify)
        yield
    finally:
        kept = any(tree.path(path).exists() for path in (receipt.PATH, journal.PATH))
        lock.release(tree, held, keep=kept, unfinished=bool(files.strays(tree)))


def recover(tree: Tree, notify: Notify) -> bool:
    """Finish or undo what a dead command left behind, if one did; write nothing otherwise.

    Args:
        tree: The tree.
        notify: Told, in a line, what is waited for and what was recovered.

    Returns:
        Whether there was anything.

    Raises:
        A2PatchError: There is, and it can be neither finished nor undone.
    """
    if not tree.path(FOLDER).is_dir():
        return False
    if tree.path(receipt.PATH).exists() and not tree.path(journal.PATH).exists() and not lock.left(tree):
        return False
    with locked(tree, notify):
        return True


def settled(tree: Tree, notify: Notify, look: Callable[[], T]) -> T:
    """Look at a tree while nobody writes to it, without keeping anybody from doing so.

    Args:
        tree: The tree.
        notify: Told, in a line, what is waited for and what was recovered.
        look: Reads the tree; called again if a command has been at it meanwhile.

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
    steps = [Step(change.path, change.before, digest(change.after)) for change in changes]
    try:
        with explained(tree.package):
            _prepare(tree, command, changes, steps)
    except BaseException:
        with explained(tree.package, _HALF_DONE):
            _abandon(tree, steps)
        raise
    try:
        try:
            _finish(tree, steps)
        except KeyboardInterrupt:  # a moment more, and nothing is left half done
            _finish(tree, steps)
            raise
    except OSError as error:
        with explained(tree.package, _HALF_DONE):
            _undo(tree, steps)
        with explained(tree.package):
            raise error


def _stamp(tree: Tree) -> tuple[int, ...]:
    """Changes with each command that takes the lock, since taking it and letting go of it both change a folder."""
    times = [tree.package.stat().st_mtime_ns]
    with suppress(FileNotFoundError):  # no patch and no command, or one that has just ended
        times.append(tree.path(FOLDER).stat().st_mtime_ns)
    return (lock.left(tree), *times)


def _prepare(tree: Tree, command: str, changes: Sequence[Change], steps: Sequence[Step]) -> None:
    """Everything up to the journal, with which the command counts as done."""
    ignore = tree.path(lock.IGNORE)
    if not ignore.exists() or ignore.read_bytes() != lock.IGNORED:
        files.stage(ignore, lock.IGNORED)
        files.put(ignore)
    for change in changes:
        if change.after is not None:
            files.stage(tree.path(change.path), change.after)
    for folder in _folders(tree, steps):
        files.sync_folder(folder)
    for change in changes:
        if tree.read(change.path) != change.before:
            raise _edited(tree, change.path, "a file was edited while a2patch worked on it", "Try again.")
    files.stage(tree.path(journal.PATH), journal.encode(command, steps))
    files.put(tree.path(journal.PATH))
    files.sync_folder(tree.path(FOLDER))


def _finish(tree: Tree, steps: Sequence[Step]) -> None:
    for step in steps:
        target = tree.path(step.path)
        if digest(tree.read(step.path)) == step.after:
            files.temporary(target).unlink(missing_ok=True)
        elif step.after is None:
            target.unlink()
        else:
            files.put(target)
    _close(tree, steps)


def _undo(tree: Tree, steps: Sequence[Step]) -> None:
    for step in reversed(steps):
        target = tree.path(step.path)
        if tree.read(step.path) == step.before:
            continue
        if step.before is None:
            target.unlink()
        else:
            files.stage(target, step.before)
            files.put(target)
    _close(tree, steps)


def _close(tree: Tree, steps: Sequence[Step]) -> None:
    for step in steps:
        if step.path.endswith(".py") and tree.read(step.path) is None:
            files.remove_bytecode(tree.path(step.path))
    for folder in _folders(tree, steps):
        files.sync_folder(folder)
    for step in steps:
        files.temporary(tree.path(step.path)).unlink(missing_ok=True)
    tree.path(journal.PATH).unlink(missing_ok=True)
    with suppress(OSError):  # should the journal come back with the power, it is found to be done
        files.sync_folder(tree.path(FOLDER))


def _recover(tree: Tree, notify: Notify) -> None:
    loaded = journal.load(tree)
    if loaded is None:
        if strays := files.strays(tree):
            for place in strays:
                place.unlink(missing_ok=True)
            notify("an interrupted a2patch had changed nothing yet: what it had prepared was removed")
        return
    command, steps = loaded
    for step in steps:
        if digest(tree.read(step.path)) not in {digest(step.before), step.after}:
            raise _edited(
                tree,
                step.path,
                f"a file was edited while an interrupted `a2patch {command}` waited to be finished",
                f"Put it back, or delete {tree.path(journal.PATH)} to keep the tree as it stands: "
                "`a2patch status` then tells how that is.",
            )
    outcome = "was finished"
    try:
        if not all(_can_finish(tree, step) for step in steps):
            raise FileNotFoundError("what it was about to write is gone")
        _finish(tree, steps)
    except OSError:  # whatever keeps it from being finished, it may still be undone; if not, that is told
        _undo(tree, steps)
        outcome = "could not be finished, and was undone"
    notify(f"an interrupted `a2patch {command}` {outcome}")


def _can_finish(tree: Tree, step: Step) -> bool:
    """Whether a step is done, or what it needs is there: a disk that lost power may have lost it."""
    if step.after is None or digest(tree.read(step.path)) == step.after:
        return True
    place = files.temporary(tree.path(step.path))
    return place.is_file() and digest(place.read_bytes()) == step.after


def _abandon(tree: Tree, steps: Sequence[Step]) -> None:
    """Take the preparations back; the journal first, since with it the command counts as done."""
    tree.path(journal.PATH).unlink(missing_ok=True)
    for path in (*(step.path for step in steps), journal.PATH, lock.IGNORE):
        with suppress(OSError):  # what can't be removed now is by the next command
            files.temporary(tree.path(path)).unlink(missing_ok=True)


def _folders(tree: Tree, steps: Sequence[Step]) -> list[Path]:
    return sorted({tree.path(step.path).parent for step in steps})


def _edited(tree: Tree, path: str, message: str, remedy: str) -> ConflictError:
    return ConflictError(message, path=tree.path(path), remedy=remedy)
