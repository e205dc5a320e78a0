"""Define what can go wrong: one base class with fields, which `console` shows."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import ClassVar


class A2PatchError(Exception):
    """Something that stops a command and that its user can do something about.

    Attributes:
        message: What is wrong, in one sentence.
        path: The file or folder that it is about.
        found: What stands there, where that helps; may have several lines.
        remedy: What to do next.
        exit_code: The exit code of a command that this error ends.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, *, path: Path | None = None, found: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.found = found
        self.remedy = remedy


class UsageError(A2PatchError):
    """The command line can't be understood."""

    exit_code: ClassVar[int] = 2


class TreeNotFoundError(A2PatchError):
    """There is no ultralytics tree at the place that was named, or that this environment imports."""


class AccessError(A2PatchError):
    """A file of the tree can't be read or written."""


class ToolMissingError(A2PatchError):
    """Git, a Python interpreter or a library that the tree needs is not there."""


class ConflictError(A2PatchError):
    """The tree is not as any diff expects it."""

    exit_code: ClassVar[int] = 3


class LockedError(A2PatchError):
    """Another a2patch works on the tree."""


class BlockNeedsError(ToolMissingError):
    """A module file imports a library that the interpreter of the tree lacks: with it no import of the tree works."""


class NotPatchedError(ConflictError):
    """A command needs a patched tree, and this one is not, or not wholly."""


class ModelError(A2PatchError):
    """The model that a command was asked to try can't be read, or is none."""

    exit_code: ClassVar[int] = 2


class ExistsError(A2PatchError):
    """A file that a command would write is there already, and is another."""

    exit_code: ClassVar[int] = 2


class TransplantError(A2PatchError):
    """A checkpoint can't go into the model that was named, or there is nowhere for the result."""

    exit_code: ClassVar[int] = 2


class BlockError(A2PatchError):
    """A file that is no block: no Python, or without a class that rows can name."""

    exit_code: ClassVar[int] = 2


class InterruptionError(A2PatchError):
    """The user, or the system, ended a command before it was done."""

    exit_code: ClassVar[int] = 130


class InternalError(A2PatchError):
    """Something that nobody foresaw: an error of a2patch itself."""

    exit_code: ClassVar[int] = 5


class EndedBySignal(KeyboardInterrupt):
    """The system asked this process to end; what holds for Ctrl-C holds for it too."""


# What a machine can't do just now, or not at all; it says nothing about whether a2patch is right.
_REFUSALS = {
    getattr(errno, name)
    for name in (
        *("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EFBIG", "EMFILE", "ENFILE", "ENOMEM", "EIO", "ELOOP"),
        *("ENAMETOOLONG", "ESTALE", "ENOLCK", "ENXIO", "ENODEV", "EBUSY", "ETXTBSY", "EAGAIN", "ETIMEDOUT", "ENOTSUP"),
    )
    if hasattr(errno, name)
}
_REMEDIES = {
    errno.EMFILE: "Allow more open files (`ulimit -n`), and try again.",
    errno.ENFILE: "Close other programs, and try again.",
    errno.EFBIG: "Allow larger files (`ulimit -f`), and try again.",
    errno.ENAMETOOLONG: "Name something shorter.",
    errno.ELOOP: "Look at where its links lead.",
    errno.ENOLCK: "This file system gives no locks: work on a copy of the tree elsewhere.",
}


_LOOK = "Look at the owner and mode of what is named, and the space left on the disk."
_LOOK_ON_WINDOWS = (
    "Close what has it open (an editor, a training, a scanner), and look at whether you may write there, and the space "
    "left on the disk."
)
_LONGEST = 260  # characters; Windows says of a longer path that it is not there, unless long ones are allowed


def advice(number: int | None, place: Path | None = None, windows: bool = os.name == "nt") -> str:
    """Return what to do where the system refuses something.

    Args:
        number: Its number for the reason, as `OSError` has it.
        place: What it was refused for, where that is known.
        windows: Whether the system is Windows.
    """
    if windows and number == errno.ENOENT and place is not None and len(str(place)) >= _LONGEST:
        return "The path is too long for Windows: allow long ones (LongPathsEnabled), or move the tree further up."
    return _REMEDIES.get(number or 0, _LOOK_ON_WINDOWS if windows else _LOOK)


def unwritable(error: OSError, path: Path, remedy: str) -> AccessError:
    """Return the error of a write that the system refused.

    Args:
        error: What the system says.
        path: What is named where the system names nothing.
        remedy: How everything stands now; what to do about it follows.
    """
    place = Path(error.filename) if error.filename else path
    told = f"{remedy} {advice(error.errno, place)}".strip()
    return AccessError(f"can't be written: {error.strerror or error}", path=place, remedy=told)


def refusal(error: BaseException) -> AccessError | None:
    """Return what the system refused, as an error that can be shown; None where it refused nothing.

    Args:
        error: What was raised.
    """
    if isinstance(error, MemoryError):
        return AccessError("there is not enough memory", remedy="Close other programs, or lift the limit.")
    if isinstance(error, FileNotFoundError) and _current_folder_is_gone():
        return AccessError("the current folder has been deleted", remedy="Change to one that is there, and try again.")
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, ImportError) and os.strerror(errno.EMFILE) in str(error):  # a library could not be opened
        number = errno.EMFILE
    if number is None or number not in _REFUSALS:
        return None
    named = error.filename if isinstance(error, OSError) else None
    path = Path(os.fsdecode(named)) if isinstance(named, str | bytes) else None
    return AccessError(f"the system refuses: {os.strerror(number)}", path=path, remedy=advice(number))


def _current_folder_is_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False
