"""Write the page of a report to a file.

A file that is no report of a2patch is never replaced, and a report is written completely or not at all.
"""

from __future__ import annotations

import os
from pathlib import Path

from a2patch.errors import AccessError
from a2patch.report.html import GENERATOR
from a2patch.transaction import temporary, write_atomically
from a2patch.tree import read_start

_MARK = f'name="generator" content="{GENERATOR} '.encode()
_HEAD = 1000  # bytes, in which a report names its generator
_REMEDY = "Name a file for the report in a folder that you may write to."


def claim(path: Path) -> Path:
    """Make sure that a report can be written, before the work that it is about is done.

    Args:
        path: The file to write. An earlier report there may be replaced, any other file may not.

    Returns:
        Its absolute path, links followed.

    Raises:
        AccessError: It can't be written there.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir() or not target.parent.is_dir():
        what = "is a folder" if target.is_dir() else "lies in no folder that there is"
        raise AccessError(f"the report can't be written: its name {what}", path=target, remedy=_REMEDY)
    try:
        place = temporary(target)
        place.unlink(missing_ok=True)
        place.open("xb").close()
        place.unlink()
        replaced = read_start(target, _HEAD)
    except OSError as error:
        raise _unwritable(target, error) from error
    if replaced is not None and _MARK not in replaced:
        raise AccessError(
            "the report would replace a file that is no report of a2patch",
            path=target,
            remedy="Name another file for the report, or remove this one.",
        )
    return target


def write(target: Path, page: str) -> None:
    """Write a report in one step: completely or not at all.

    Args:
        target: Where `claim` said that it can be written.
        page: The page.

    Raises:
        AccessError: It can't be written any more.
    """
    try:
        write_atomically(target, page.encode("utf-8", "replace"))
    except OSError as error:
        raise _unwritable(target, error) from error


def _unwritable(target: Path, error: OSError) -> AccessError:
    return AccessError(f"the report can't be written: {error.strerror or error}", path=target, remedy=_REMEDY)
