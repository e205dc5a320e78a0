"""The file of a report: never another file's end, and whole or not there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path

from a2patch import __version__
from a2patch.errors import AccessError
from a2patch.report.html import GENERATOR, page
from a2patch.runner import Subject, Verdict, figures
from a2patch.transaction import temporary, write_atomically

_MARK = f'name="generator" content="{GENERATOR} '.encode()
_HEAD = 1000  # bytes in which a page of ours says what it is
_REMEDY = "Name a file for the report in a folder that you may write to."


def claim(path: Path) -> Path:
    """Make sure that a report can be written, before the work is done that it is about.

    Args:
        path: Where it is to lie. An earlier report there may be replaced, any other file may not.

    Returns:
        Its absolute path, links followed.

    Raises:
        AccessError: It can't be written there.
    """
    target = path.resolve()
    if target.is_dir() or not target.parent.is_dir():
        what = "is a folder" if target.is_dir() else "lies in no folder that there is"
        raise AccessError(f"The report can't be written: its name {what}", path=target, remedy=_REMEDY)
    try:
        temporary(target).write_bytes(b"")
        temporary(target).unlink()
        replaced = target.read_bytes()[:_HEAD] if target.exists() else _MARK
    except OSError as error:
        raise _unwritable(target, error) from error
    if _MARK not in replaced:
        raise AccessError(
            "The report would replace a file that is no report of a2patch",
            path=target,
            remedy="Name another file for the report, or remove this one.",
        )
    return target


def make(
    target: Path,
    package: Path,
    verdict: Verdict,
    notify: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    only: Collection[str],
    subject: Subject | None = None,
) -> None:
    """Have the pictures of a verdict drawn, and write them with it as a page.

    Args:
        target: Where `claim` said that it can be written.
        package: The real path of the package folder.
        verdict: What was found.
        notify: Told, in a few words, what is being drawn.
        environ: The environment to derive that of the probe from, which draws.
        only: The checks that were asked for.
        subject: The model that was tried; without one, those that the patch adds.

    Raises:
        AccessError: It can't be written any more.
    """
    drawn = figures.take(package, verdict, notify, environ, only=only, subject=subject)
    about = {"tree": str(package), "made": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %z} by a2patch {__version__}"}
    write(target, page(verdict, drawn, about | ({"model": str(subject.file)} if subject else {})))


def write(target: Path, text: str) -> None:
    """Write a report in one step.

    Args:
        target: Where `claim` said that it can be written.
        text: The page.

    Raises:
        AccessError: It can't be written any more.
    """
    try:
        write_atomically(target, text.encode("utf-8", "replace"))
    except OSError as error:
        raise _unwritable(target, error) from error


def _unwritable(target: Path, error: OSError) -> AccessError:
    return AccessError(f"The report can't be written: {error.strerror or error}", path=target, remedy=_REMEDY)
