"""Folders for temporary files: gone when their command is, however it ended.

A command that is killed can remove nothing, so the next one does. A folder is in use as long as a process holds the
lock on its file `owner`: unlike the number of a process, which is in its name, that can't be mistaken for another's.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from a2patch.errors import AccessError, refusal
from a2patch.tree.files import remove_folder

_OWNER = "owner"
_NAME = re.compile(r"a2patch-[a-z]+-(\d{1,10})-\w+")
_REMEDY = "Make room there, or name another folder in the variable TMPDIR."


@contextmanager
def scratch_folder(purpose: str, needed: int) -> Iterator[Path]:
    """Make a folder for temporary files, and remove it at the end with all that is in it.

    Args:
        purpose: What it is for, in one word that becomes a part of its name.
        needed: How many bytes must be free there.

    Raises:
        AccessError: There is no room for it; also where that shows only while it is used.
    """
    parent, folder = _parent(), None
    try:
        free = shutil.disk_usage(parent).free
        if free < needed:
            found = f"{free >> 10} KiB are free, {needed >> 10} are needed"
            raise AccessError("there is too little room for temporary files", path=parent, found=found, remedy=_REMEDY)
        folder = Path(os.path.realpath(tempfile.mkdtemp(prefix=f"a2patch-{purpose}-{os.getpid()}-", dir=parent)))
        with folder.joinpath(_OWNER).open("wb") as owner:
            _lock(owner)
            yield folder
    except OSError as error:
        if folder is not None and not str(error.filename or folder).startswith(str(folder)):
            raise
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise refusal(error) or error from error
        raise AccessError("there is too little room for temporary files", path=parent, remedy=_REMEDY) from error
    finally:
        if folder is not None:
            remove_folder(folder)


def clear_leftovers() -> None:
    """Remove the folders that killed commands of this user left behind; what can't be removed stays."""
    with suppress(OSError, AccessError):
        for place in os.scandir(_parent()):
            if (named := _NAME.fullmatch(place.name)) and _is_left(place, int(named[1])):
                remove_folder(Path(place.path))


def _parent() -> Path:
    """Return the folder that holds all temporary ones."""
    try:
        parent = Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise AccessError("there is no folder for temporary files", found=str(error), remedy=_REMEDY) from error
    named = [os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]
    if parent == Path.cwd() and str(parent) not in named:  # Python's last resort, which may be a tree
        raise AccessError("no folder for temporary files can be written to", path=parent, remedy=_REMEDY)
    return parent


def _lock(owner: BinaryIO) -> None:
    """Lock an open file for as long as it is open. Windows removes no open file, and needs no lock."""
    if os.name != "nt":
        import fcntl

        with suppress(OSError):  # a file system without locks: the number in the name must do
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_left(place: os.DirEntry[str], process: int) -> bool:
    """Return whether a folder of ours is in use no more."""
    if not place.is_dir(follow_symlinks=False):
        return False
    owner = Path(place.path, _OWNER)
    if os.name == "nt":
        try:
            owner.unlink(missing_ok=True)
        except OSError:
            return False
        return True
    if place.stat(follow_symlinks=False).st_uid != os.geteuid() or _is_alive(process):
        return False
    import fcntl

    try:
        with owner.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:  # it was killed before it could make the file
        return True
    except OSError:  # held, maybe in another container, where processes have other numbers
        return False
    return True


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
