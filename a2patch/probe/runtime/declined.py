"""The error of a file that can't be used as it is, for every verb that is given one."""

from __future__ import annotations


class DeclinedError(Exception):
    """What is asked for can't be done, and its user can do something about it.

    The message begins with its verb: the subject is the file.

    Attributes:
        found: What stands there.
        remedy: What to do next.
        unpatched: Whether it is the tree that lacks our layers.
    """

    def __init__(self, message: str, found: str = "", remedy: str = "", unpatched: bool = False) -> None:
        super().__init__(message)
        self.found = found
        self.remedy = remedy
        self.unpatched = unpatched
