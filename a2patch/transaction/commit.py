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

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol, TypeVar

from a2patch.errors import A2PatchError, AccessError, ConflictError
from a2patch.patch import Change
from a2patch.transaction import files, journal, lock
from a2patch.transaction.files import FOLDER, IGNORE, IGNORED, RECEIPT, explained
from a2patch.transaction.journal import Step, digest
from a2patch.tree import Tree, read_file, remove


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
            _recover(tree, notify)
        yield
        failed = False
    finally:
        keep = any(tree.path(path).exists() for path in (RECEIPT, journal.PATH))
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
            _prepare(tree, command, changes, steps)
    except BaseException:
        with explained(tree.package, _HALF_DONE):
            _remove_preparations(tree, steps)
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
    """Return what differs once a command has taken the lock or let go of it, since both change a folder."""
    times = [tree.package.stat().st_mtime_ns]
    with suppress(FileNotFoundError):  # no patch and no command, or one that has just ended
        times.append(tree.path(FOLDER).stat().st_mtime_ns)
    return (lock.left(tree), *times)


def _prepare(tree: Tree, command: str, changes: Sequence[Change], steps: Sequence[Step]) -> None:
    """Do everything up to putting the journal in place; from then on the command is finished, whatever happens."""
    ignore = tree.path(IGNORE)
    if read_file(ignore) != IGNORED:
        files.write_atomically(ignore, IGNORED)
    for step, change in zip(steps, changes, strict=True):
        if change.after is not None:
            files.stage(step.place, change.after)
    for folder in _folders(steps):
        files.sync_folder(folder)
    for step in steps:
        if read_file(step.place) != step.before:
            raise ConflictError("a file was edited while a2patch worked on it", path=step.place, remedy="Try again.")
    files.stage(tree.path(journal.PATH), journal.encode(command, steps))
    files.put(tree.path(journal.PATH))
    files.sync_folder(tree.path(FOLDER))


def _finish(tree: Tree, steps: Sequence[Step]) -> None:
    """Bring every step to its end, from wherever it stands."""
    for step in steps:
        if digest(read_file(step.place)) == step.after:
            remove(files.temporary(step.place))
        elif step.after is None:
            remove(step.place)
        else:
            files.put(step.place)
    _close(tree, steps)


def _undo(tree: Tree, steps: Sequence[Step]) -> None:
    """Take every step back, from wherever it stands."""
    for step in reversed(steps):
        if read_file(step.place) == step.before:
            continue
        if step.before is None:
            remove(step.place)
        else:
            files.write_atomically(step.place, step.before)
    _close(tree, steps)


def _close(tree: Tree, steps: Sequence[Step]) -> None:
    """Remove what nobody needs once every step is done or undone, the journal last."""
    for step in steps:
        if step.place.suffix == ".py" and read_file(step.place) is None:
            files.remove_bytecode(step.place)
    for folder in _folders(steps):
        files.sync_folder(folder)
    for step in steps:
        remove(files.temporary(step.place))
    tree.path(journal.PATH).unlink(missing_ok=True)
    with suppress(OSError):  # should the journal come back with the power, it is found to be done
        files.sync_folder(tree.path(FOLDER))


def _recover(tree: Tree, notify: Notify) -> None:
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
        _finish(tree, steps)
    elif not _is_brought_to_an_end(tree, command, steps):
        ending = "could not be finished, and was undone"
    notify(f"an interrupted `a2patch {command}` {ending}")


def _is_brought_to_an_end(tree: Tree, command: str, steps: Sequence[Step]) -> bool:
    """Finish what a dead command left, or undo it; return whether it was finished.

    Raises:
        A2PatchError: No command of ours left it.
    """
    from a2patch.transaction import origin  # it works out what commands do, and they stand above this file

    ends = origin.check(tree, command, steps)
    try:
        if "finish" not in ends:
            raise FileNotFoundError("a block of its user's is put in by its user only")
        if not all(_can_finish(step) for step in steps):
            raise FileNotFoundError("what it was about to write is gone")
        _finish(tree, steps)
    except OSError:  # what can't be finished may still be undone; the error of undoing it reaches the user
        if "undo" not in ends:
            raise
        _undo(tree, steps)
        return False
    return True


def _can_finish(step: Step) -> bool:
    """Whether a step is done, or its new content is there: a disk that lost power may have lost it."""
    if step.after is None or digest(read_file(step.place)) == step.after:
        return True
    place = files.temporary(step.place)
    return digest(read_file(place)) == step.after


def _remove_preparations(tree: Tree, steps: Sequence[Step]) -> None:
    """Remove the journal and then the temporary files, since the next command finishes what a journal names."""
    waiting = tree.path(journal.PATH)
    waiting.unlink(missing_ok=True)
    for place in (*(step.place for step in steps), waiting):
        with suppress(OSError):  # what can't be removed now is removed by the next command
            remove(files.temporary(place))


def _folders(steps: Sequence[Step]) -> list[Path]:
    return sorted({step.place.parent for step in steps})
