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

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from a2patch import journal, receipt
from a2patch.errors import A2PatchError, AccessError, LockedError
from a2patch.journal import FOLDER, SUFFIX, Step, digest, temporary
from a2patch.patching import Change
from a2patch.tree import Tree

if TYPE_CHECKING:
    from filelock import BaseFileLock

WAIT_S = 10.0

Say = Callable[[str], None]


@contextmanager
def locked(tree: Tree, say: Say) -> Iterator[None]:
    """Hold the lock of a tree, once what a dead command left behind is finished or undone.

    Args:
        tree: The tree.
        say: Told, in a line, what is waited for and what was recovered.

    Raises:
        LockedError: Another command holds it and does not let go.
        AccessError: The tree can't be written to.
    """
    with _explained(tree.package):
        lock = _acquire(tree, say)
    try:
        with _explained(tree.package):
            _recover(tree, say)
        yield
    finally:
        _release(tree, lock)


def recover(tree: Tree, say: Say) -> bool:
    """Finish or undo what a dead command left behind, if one did; write nothing otherwise.

    Args:
        tree: The tree.
        say: Told, in a line, what was recovered.

    Returns:
        Whether there was anything.
    """
    if not tree.path(FOLDER).is_dir() or (tree.read(receipt.PATH) and tree.read(journal.PATH) is None):
        return False
    with locked(tree, say):
        return True


def commit(tree: Tree, command: str, changes: Sequence[Change]) -> None:
    """Bring changes to disk. The lock must be held.

    Args:
        tree: The tree.
        command: The name of the command, for the journal.
        changes: Every file that changes, the receipt last.

    Raises:
        AccessError: A file can't be written; the tree is as it was.
    """
    steps = [Step(change.path, change.before, digest(change.after)) for change in changes]
    try:
        with _explained(tree.package):
            for change in changes:
                if change.after is not None:
                    _stage(tree.path(change.path), change.after)
            _stage(tree.path(journal.PATH), journal.encode(command, steps))
            _put(tree.path(journal.PATH))
            _sync_folder(tree.path(FOLDER))
    except BaseException:
        _unstage(tree, steps)
        raise
    try:
        with _explained(tree.package):
            try:
                _finish(tree, steps)
            except KeyboardInterrupt:  # a moment more, and nothing is left half done
                _finish(tree, steps)
                raise
    except A2PatchError:
        with _explained(tree.package):
            _undo(tree, steps)
        raise


def _finish(tree: Tree, steps: Sequence[Step]) -> None:
    for step in steps:
        _forward(tree, step)
    _close(tree, steps)


def _forward(tree: Tree, step: Step) -> None:
    target = tree.path(step.path)
    have = digest(tree.read(step.path))
    if have == step.after:
        temporary(target).unlink(missing_ok=True)
    elif have != digest(step.before):
        raise _edited(target)
    elif step.after is None:
        target.unlink()
    elif temporary(target).is_file() and digest(temporary(target).read_bytes()) == step.after:
        _put(target)
    else:
        raise A2PatchError(
            "what an interrupted command was about to write is gone",
            path=temporary(target),
            remedy=f"Delete {tree.path(journal.PATH)} to keep the tree as it stands; `a2patch status` tells how.",
        )


def _undo(tree: Tree, steps: Sequence[Step]) -> None:
    for step in reversed(steps):
        target = tree.path(step.path)
        have = digest(tree.read(step.path))
        if have == digest(step.before):
            continue
        if have != step.after:
            raise _edited(target)
        if step.before is None:
            target.unlink()
        else:
            _stage(target, step.before)
            _put(target)
    _close(tree, steps)


def _close(tree: Tree, steps: Sequence[Step]) -> None:
    folders = {tree.path(step.path).parent for step in steps}
    for folder in folders:
        _sync_folder(folder)
    tree.path(journal.PATH).unlink()
    _unstage(tree, steps)
    for step in steps:
        if tree.read(step.path) is None and step.path.endswith(".py"):
            _remove_bytecode(tree.path(step.path))


def _recover(tree: Tree, say: Say) -> None:
    loaded = journal.load(tree)
    if loaded is None:
        _remove_strays(tree)
        return
    command, steps = loaded
    try:
        _finish(tree, steps)
        say(f"an interrupted `a2patch {command}` was finished")
    except OSError:
        _undo(tree, steps)
        say(f"an interrupted `a2patch {command}` could not be finished, and was undone")


def _stage(target: Path, content: bytes) -> None:
    """Write what a file gets beside it, with the mode, owner and attributes that it has."""
    place = temporary(target)
    place.unlink(missing_ok=True)
    with place.open("xb") as file:
        file.write(content)
        file.flush()
        if target.exists():
            shutil.copystat(target, place)
            os.utime(place)
            _keep_owner(target, place)
        elif target.parent.name != FOLDER:
            sibling = target.with_name("__init__.py") if target.suffix == ".py" else None
            if sibling is not None and sibling.exists():
                shutil.copymode(sibling, place)
        os.fsync(file.fileno())


def _put(target: Path) -> None:
    place = temporary(target)
    try:
        os.replace(place, target)  # noqa: PTH105 (the promise is os.replace's)
    except PermissionError:
        if os.name != "nt" or not target.exists():
            raise
        target.chmod(0o600)  # Windows does not replace a read-only file
        os.replace(place, target)  # noqa: PTH105


def _keep_owner(target: Path, place: Path) -> None:
    if os.name == "nt":
        return
    wanted = target.stat()
    if (place.stat().st_uid, place.stat().st_gid) != (wanted.st_uid, wanted.st_gid):
        with suppress(PermissionError):  # only root may give files away; whoever may replace a file may own it
            os.chown(place, wanted.st_uid, wanted.st_gid)
            place.chmod(wanted.st_mode & 0o7777)  # chown clears set-id bits


def _unstage(tree: Tree, steps: Sequence[Step]) -> None:
    for path in (*(step.path for step in steps), journal.PATH):
        with suppress(OSError):
            temporary(tree.path(path)).unlink(missing_ok=True)


def _remove_strays(tree: Tree) -> None:
    """Remove temporary files whose command died before it had a journal."""
    for place in tree.package.rglob(f".*{SUFFIX}"):
        if place.is_file() and not place.is_symlink():
            place.unlink()


def _remove_bytecode(source: Path) -> None:
    cache = source.parent / "__pycache__"
    for place in cache.glob(f"{source.stem}.*.pyc"):
        place.unlink(missing_ok=True)
    with suppress(OSError):
        cache.rmdir()  # only if nothing else is in it


def _acquire(tree: Tree, say: Say) -> BaseFileLock:
    from filelock import FileLock, Timeout

    folder = tree.path(FOLDER)
    give_up = time.monotonic() + WAIT_S
    told = False
    while True:
        with suppress(FileExistsError):
            folder.mkdir()
        lock = FileLock(folder / "lock", timeout=0)
        with suppress(Timeout, FileNotFoundError):  # a command that ends takes the folder with it
            lock.acquire()
            ignore = folder / ".gitignore"
            if not ignore.exists() or ignore.read_bytes() != b"*\n":
                ignore.write_bytes(b"*\n")  # keeps the folder out of the user's `git status`
            return lock
        if time.monotonic() > give_up:
            raise LockedError(
                "another a2patch works on this tree and has not finished",
                path=tree.package,
                remedy="Wait until it has, or end it, and try again. A dead process holds no lock.",
            )
        if not told:
            say(f"another a2patch works on {tree.package}: waiting up to {WAIT_S:.0f} s for it to finish")
            told = True
        time.sleep(0.05)


def _release(tree: Tree, lock: BaseFileLock) -> None:
    folder = tree.path(FOLDER)
    keep = any(tree.path(path).exists() for path in (receipt.PATH, journal.PATH))
    with suppress(OSError):
        if not keep:
            folder.joinpath(".gitignore").unlink(missing_ok=True)
        folder.joinpath("lock").unlink(missing_ok=True)  # while it is held, so that nobody locks what we remove
    lock.release()
    with suppress(OSError):
        if os.name == "nt":  # it can't remove an open file, nor one that somebody else has locked since
            folder.joinpath("lock").unlink(missing_ok=True)
        if not keep:
            folder.rmdir()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AccessError(
            f"can't be written: {error.strerror or error}",
            path=Path(error.filename) if error.filename else path,
            remedy="The tree is as it was. Look at the owner and mode of the folder, and the space left on the disk.",
        ) from error


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # folders can't be synced there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _edited(path: Path) -> A2PatchError:
    return A2PatchError(
        "a file was edited while a command on it lay interrupted",
        path=path,
        remedy=f"Delete {FOLDER}/journal.json in the package folder to keep the tree as it stands; "
        "`a2patch status` then tells how that is.",
    )
