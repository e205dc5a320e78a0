"""Read files that others put there: ordinary ones only, and only so much of them.

A pipe would make us wait forever, a device may never end, and a file may be larger than all memory.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from a2patch.errors import AccessError

LARGEST = 1 << 26
"""How many bytes are read of a file at most; the largest source file of upstream has 1 % of it."""

_PART = 1 << 18  # bytes at once: who asks for the most that may come sets memory aside for it, each time


def read_file(place: Path) -> bytes | None:
    """Read a file, or give None where there is none.

    Raises:
        AccessError: It is there, but can't be read, is no ordinary file, or is larger than `LARGEST`.
    """
    content = read_start(place, LARGEST + 1)
    if content is not None and len(content) > LARGEST:
        raise AccessError(
            f"is larger than {LARGEST >> 20} MiB, more than any file of a tree that a2patch reads",
            path=place,
            remedy="Put the file that belongs there in its place.",
        )
    return content


def read_start(place: Path, size: int) -> bytes | None:
    """Read the first bytes of a file, or give None where there is none.

    Args:
        place: The file.
        size: How many bytes to read at most.

    Raises:
        AccessError: It is there, but can't be read, or is no ordinary file.
    """
    try:
        if not stat.S_ISREG(place.stat().st_mode):  # to open a device may already do something
            raise _special(place)
        handle = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):  # it was replaced meanwhile
                raise _special(place)
            parts = []
            while size > 0 and (part := file.read(min(size, _PART))):
                parts.append(part)
                size -= len(part)
            return b"".join(parts)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise AccessError(
            f"can't be read: {error.strerror}", path=place, remedy="Look at the owner and mode of the file."
        ) from error


def _special(place: Path) -> AccessError:
    return AccessError("is no ordinary file", path=place, remedy="Put a real file in its place.")


def find_files(folder: Path, pattern: str) -> list[Path]:
    """Find files by their names anywhere below a folder, in order; links to folders are not followed.

    What another program removes meanwhile is not there: unlike `Path.rglob`, `os.walk` does not stumble over it.

    Args:
        folder: The folder.
        pattern: What the names must match, as `*.yaml` does.
    """
    return sorted(Path(place, name) for place, _, names in os.walk(folder) for name in fnmatch.filter(names, pattern))


def remove(place: Path) -> None:
    """Remove a file, read-only or not; nothing happens where there is none.

    Raises:
        OSError: It can't be removed.
    """
    try:
        place.unlink(missing_ok=True)
    except PermissionError:
        if os.name != "nt":
            raise
        place.chmod(stat.S_IWRITE)  # Windows removes no read-only file
        place.unlink(missing_ok=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it; what can't be removed stays."""
    for place in find_files(folder, "*") if os.name == "nt" else ():  # read-only ones would stop what follows
        with suppress(OSError):
            remove(place)
    shutil.rmtree(folder, ignore_errors=True)
