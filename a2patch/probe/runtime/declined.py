"""The error of a file that can't be used as it is, for every verb that is given one."""

from __future__ import annotations

from typing import Sequence


class DeclinedError(Exception):
    """What is asked for can't be done, and its user can do something about it.

    The message begins with its verb: the subject is the file.

    Attributes:
        found: What stands there.
        remedy: What to do next.
        lacking: What the tree does not have, where that is why.
    """

    def __init__(self, message: str, found: str = "", remedy: str = "", lacking: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.found = found
        self.remedy = remedy
        self.lacking = tuple(lacking)
