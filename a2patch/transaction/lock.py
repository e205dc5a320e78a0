"""One command at a time on a tree, by a lock that ends with its process.

The lock file is there only while a command runs, so one that nobody holds shows that a command died.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from a2patch.errors import LockedError
from a2patch.transaction import files
from a2patch.transaction.files import FOLDER, IGNORE
from a2patch.tree import Tree

if TYPE_CHECKING:
    from filelock import BaseFileLock

WAIT_S = 10.0
LOCK = f"{FOLDER}/lock"


def left(tree: Tree) -> bool:
    """Whether a lock file is there: of a command that runs, or of one that died."""
    return tree.path(LOCK).exists()


def acquire(tree: Tree, notify: Callable[[str], None]) -> BaseFileLock:
    """Take the lock of a tree.

    Args:
        tree: The tree.
        notify: Takes a line on what is waited for.

    Raises:
        LockedError: Another command holds it and does not let go.
        OSError: The tree can't be written to.
    """
    from filelock import FileLock, Timeout

    folder = tree.path(FOLDER)
    give_up = time.monotonic() + WAIT_S
    notified = False
    while True:
        with suppress(FileNotFoundError):  # whoever ends takes the folder along
            fresh = not left(tree)
            try:
                _make(tree)
                fresh = not left(tree)
                try:
                    lock = FileLock(tree.path(LOCK), timeout=0)
                    with suppress(Timeout):
                        lock.acquire()
                        return lock
                except (OSError, NotImplementedError) as error:  # a file system without locks; nobody has ours then
                    if fresh:
                        tree.path(LOCK).unlink(missing_ok=True)
                    if isinstance(error, NotImplementedError):
                        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK)) from error
                    raise
            except BaseException:
                with suppress(OSError):
                    if fresh:  # where files can't be locked, as on some network disks, it was made all the same
                        tree.path(LOCK).unlink(missing_ok=True)
                    folder.rmdir()  # only if it is empty: that of a command at work holds its lock
                raise
        if time.monotonic() > give_up:
            raise LockedError(
                "another a2patch works on this tree and has not finished",
                path=tree.package,
                remedy="Wait until it has, or end it, and try again. A dead process holds no lock.",
            )
        if not notified and folder.exists():
            notify(f"another a2patch works on {tree.package}: waiting up to {WAIT_S:.0f} s for it to finish")
            notified = True
        time.sleep(0.05)


def release(tree: Tree, lock: BaseFileLock, *, keep: bool, unfinished: bool) -> None:
    """Let go of the lock of a tree.

    The lock file goes while the lock is held, so a file that another command has locked since is never removed. A
    command that waited finds that the file it opened has no name any more, and opens a new one. From then on only
    `rmdir` may touch the folder, since it removes nothing that the next command has put there.

    Args:
        tree: The tree.
        lock: Its lock, held.
        keep: Whether the folder holds a receipt or a journal, and stays.
        unfinished: Whether something is left for the next command to clear away; the lock file stays to show it.
    """
    if unfinished:
        lock.release()
        return
    with suppress(OSError):  # a lock file that can't be removed is taken for a dead command's, and harms nothing
        if not keep:
            tree.path(IGNORE).unlink(missing_ok=True)
        if os.name != "nt":
            tree.path(LOCK).unlink(missing_ok=True)
    lock.release()
    with suppress(OSError):
        if os.name == "nt":  # it can't remove an open file, nor one that another command has locked since
            tree.path(LOCK).unlink(missing_ok=True)
        if not keep:
            tree.path(FOLDER).rmdir()


def _make(tree: Tree) -> None:
    folder = tree.path(FOLDER)
    try:
        folder.mkdir()
    except FileExistsError:
        return
    folder.chmod(stat.S_IMODE(tree.package.stat().st_mode) | stat.S_IRWXU)
    files.keep_owner(tree.package, folder)
