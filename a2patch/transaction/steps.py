"""The steps of a commit on disk: prepared, brought to their end from wherever they stand, or taken back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from a2patch.errors import ConflictError
from a2patch.patch import Change
from a2patch.transaction import files, journal
from a2patch.transaction.files import FOLDER, IGNORE, IGNORED
from a2patch.transaction.journal import Step, digest
from a2patch.tree import Tree, read_file, remove


def prepare(tree: Tree, command: str, changes: Sequence[Change], steps: Sequence[Step]) -> None:
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


def finish(tree: Tree, steps: Sequence[Step]) -> None:
    """Bring every step to its end, from wherever it stands."""
    for step in steps:
        if digest(read_file(step.place)) == step.after:
            remove(files.temporary(step.place))
        elif step.after is None:
            remove(step.place)
        else:
            files.put(step.place)
    _close(tree, steps)


def undo(tree: Tree, steps: Sequence[Step]) -> None:
    """Take every step back, from wherever it stands."""
    for step in reversed(steps):
        if read_file(step.place) == step.before:
            continue
        if step.before is None:
            remove(step.place)
        else:
            files.write_atomically(step.place, step.before)
    _close(tree, steps)


def remove_preparations(tree: Tree, steps: Sequence[Step]) -> None:
    """Remove the journal and then the temporary files, since the next command finishes what a journal names."""
    waiting = tree.path(journal.PATH)
    waiting.unlink(missing_ok=True)
    for place in (*(step.place for step in steps), waiting):
        with suppress(OSError):  # what can't be removed now is removed by the next command
            remove(files.temporary(place))


def can_finish(step: Step) -> bool:
    """Whether a step is done, or its new content is there: a disk that lost power may have lost it."""
    if step.after is None or digest(read_file(step.place)) == step.after:
        return True
    place = files.temporary(step.place)
    return digest(read_file(place)) == step.after


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


def _folders(steps: Sequence[Step]) -> list[Path]:
    return sorted({step.place.parent for step in steps})
