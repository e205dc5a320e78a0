"""Tell what an exception means that reached the edge: something that the system refused, or an error of ours.

The details of an error of ours are kept in a file, for whoever mends it; nothing that happens here ends a command.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from a2patch import __version__
from a2patch.errors import A2PatchError, InternalError, refusal

_LONGEST = 300  # characters of an exception's text that are shown; the file has it all
_REMEDY = "Please report it to the maintainers of a2patch, with that file. `a2patch status` tells how the tree stands."
_NOWHERE = "Please report it to the maintainers of a2patch, with the lines above and the command that you typed."


def explained(error: BaseException, arguments: Sequence[str]) -> A2PatchError:
    """Return an exception as an error that can be shown.

    Args:
        error: What was raised.
        arguments: What was typed behind the program's name.
    """
    return refusal(error) or _internal(error, arguments)


def _internal(error: BaseException, arguments: Sequence[str]) -> InternalError:
    """Return an exception that nobody foresaw as an error of ours; it names the file with the details."""
    text = " ".join("".join(traceback.format_exception_only(error)).split())[:_LONGEST]
    details = "".join(traceback.format_exception(error))
    place = _written(f"{_facts(arguments)}\n{details}")
    found = "" if place else details  # shown, where no folder takes it
    return InternalError(
        f"an error of a2patch itself: {text}", path=place, found=found, remedy=_REMEDY if place else _NOWHERE
    )


def _facts(arguments: Sequence[str]) -> str:
    return "\n".join(
        [
            f"a2patch {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"interpreter: {sys.executable}",
            f"arguments: {list(arguments)!r}",
        ]
    )


def _written(text: str) -> Path | None:
    """Write a text to the first folder that takes it; None where none does."""
    for folder in _folders():
        try:
            folder = folder.absolute()
            if _is_in_a_tree(folder):
                continue
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix="a2patch-error-", suffix=".txt", dir=folder)
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8", "backslashreplace"))
        except OSError:  # no space, no right, no such place: the next may do
            continue
        return Path(name)
    return None


def _folders() -> Iterator[Path]:
    """Yield where details may go: the user's folder for such things, then that for temporary files."""
    variables = os.environ
    home = variables.get("HOME") or variables.get("USERPROFILE")
    if os.name == "nt":
        caches = [variables.get("LOCALAPPDATA")]
    elif sys.platform == "darwin":
        caches = [f"{home}/Library/Caches" if home else None]
    else:
        caches = [variables.get("XDG_CACHE_HOME"), f"{home}/.cache" if home else None]
    yield from (Path(cache, "a2patch") for cache in caches if cache)
    yield from (Path(variables[name]) for name in ("TMPDIR", "TEMP", "TMP") if variables.get(name))
    if os.name != "nt":
        yield from (Path("/tmp"), Path("/var/tmp"))


def _is_in_a_tree(folder: Path) -> bool:
    """Return whether a folder lies in a package that a command may be about; nothing is written there."""
    return any(place.joinpath("nn", "tasks.py").exists() for place in (folder, *folder.parents))
