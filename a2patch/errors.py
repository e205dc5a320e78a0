"""Define what can go wrong: one base class with fields, which `console` shows."""

from __future__ import annotations

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


class InterruptionError(A2PatchError):
    """The user, or the system, ended a command before it was done."""

    exit_code: ClassVar[int] = 130


class InternalError(A2PatchError):
    """Something that nobody foresaw: an error of a2patch itself."""

    exit_code: ClassVar[int] = 5


class EndedBySignal(KeyboardInterrupt):
    """The system asked this process to end; what holds for Ctrl-C holds for it too."""
